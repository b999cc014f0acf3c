/**
 * The reference model: firmware, kernel and console as the specification's tables have them (PAPR, Linux 3.4 and 6.10,
 * QEMU 10.2), without memory, time or services. It has constants of its own and knows nothing of the product.
 *
 * `apply` gives the answer that whoever does something sees: `ok`, an errno, the slug of a refusal, or an RTAS status.
 */
import {
  dispatch,
  type Command,
  type FaultName,
  type Handlers,
  type RawLength,
  type Setup,
  type SysfsFile,
} from './commands.ts'
import { commandLineMax, dumpOf, isAccepted, type Dump } from './model-dump.ts'

type State = 'not-activated' | 'running' | 'capturing' | 'terminated' | 'error'

/** PAPR, table of ibm,configure-kernel-dump return codes. */
const success = 0
const parameterError = -3
const alreadyRegistered = -9
const dumpActive = -10

interface Kernel {
  readonly isEnabled: boolean
  readonly canTerminate: boolean
  readonly commandLine: string
  isRegistered: boolean
  isDumpActive: boolean
  hasReleaseFile: boolean
  /** Whether its dump memory structure lies in memory, where a raw call finds it. */
  hasStructure: boolean
  isHalted: boolean
}

export class Model {
  readonly setup: Setup
  state: State = 'not-activated'
  registration: 'idle' | 'registered' | 'active' = 'idle'
  epoch = 0
  crashes = 0
  dump: Dump | undefined
  kernel: Kernel | undefined
  /** Seed of the bytes at the planted places, as long as it is known what lies there. */
  planted: number | undefined
  /** Whether memory has a crash info header, from this boot or from before a crash. */
  #hasHeader = false
  /** The text of the parameter area. */
  #appended = ''
  readonly #faults = new Map<FaultName, { value: number | undefined; left: boolean }>()

  constructor(setup: Setup) {
    this.setup = setup
  }

  apply(command: Command): string {
    return dispatch(this.#handlers, command)
  }

  readonly #handlers: Handlers<string> = {
    write: ({ file, text }) => this.#write(file, text),
    read: ({ file }) => this.read(file),
    append: ({ text }) => this.#append(text),
    rtas: ({ command, length }) => this.#rawCall(command, length),
    'rtas-cells': () => (this.#isUp ? String(parameterError) : 'skipped'),
    crash: () => (this.#isUp ? this.#then(() => this.#crash()) : 'wrong-state'),
    shutdown: ({ action }) => this.#shutdown(action),
    fault: ({ name, value }) => this.#then(() => this.#faults.set(name, { value, left: true })),
    disarm: () => this.#then(() => this.#faults.clear()),
    plant: ({ seed }) => {
      if (this.state !== 'running' || !this.#isUp) return 'skipped'
      this.planted = seed
      return 'ok'
    },
    activate: () =>
      this.state === 'not-activated' ? this.#then(() => this.#bootFirst()) : 'wrong-state',
    restart: () => this.#whenOn(() => this.#restart()),
    powerOff: () => this.#whenOn(() => this.#powerOff()),
    systemReset: () => this.#whenOn(() => (this.#isUp ? this.#crash() : this.#endAlone())),
    kill: () => this.#whenOn(() => this.#endAlone()),
    migrate: () => {
      if (this.state !== 'running' && this.state !== 'capturing') return 'wrong-state'
      if (this.registration === 'registered') this.registration = 'idle'
      return 'ok'
    },
  }

  #then(work: () => unknown): 'ok' {
    work()
    return 'ok'
  }

  #whenOn(work: () => void): string {
    return this.state === 'not-activated' ? 'wrong-state' : this.#then(work)
  }

  /** C026, C062: PHYP dumps what is registered without its kernel; QEMU does not. */
  #endAlone(): void {
    if (this.registration === 'registered' && !this.#isQemu) this.#preserve()
    else this.#restart()
  }

  /** §10.1, §10.2: which files there are, and what they say. */
  read(file: SysfsFile): string {
    const { kernel } = this
    if (kernel === undefined || kernel.isHalted) return 'wrong-state'
    if (!this.#exists(kernel, file)) return 'ENOENT'
    if (file === 'release_mem') return 'EACCES'
    return (file === 'enabled' ? kernel.isEnabled : kernel.isRegistered) ? '1\n' : '0\n'
  }

  get commandLine(): string | undefined {
    return this.#isUp ? this.kernel?.commandLine : undefined
  }

  get #isUp(): boolean {
    return this.kernel !== undefined && !this.kernel.isHalted
  }

  get #isV5(): boolean {
    return this.setup.profile === 'v5'
  }

  get #isQemu(): boolean {
    return this.setup.firmware === 'qemu'
  }

  #exists(kernel: Kernel, file: SysfsFile): boolean {
    const hasFiles = this.#isV5 ? kernel.isEnabled : this.setup.dumpOption
    return hasFiles && (file !== 'release_mem' || kernel.hasReleaseFile)
  }

  #write(file: SysfsFile, text: string): string {
    const { kernel } = this
    if (kernel === undefined || kernel.isHalted) return 'wrong-state'
    if (!this.#exists(kernel, file)) return 'ENOENT'
    if (file === 'enabled') return 'EACCES'
    const value = this.#isV5
      ? ({ '0': 0, '1': 1 }[text[0] ?? ''] ?? NaN)
      : ({ '0': 0, '1': 1, '0x1': 1, '01': 1, '2': 2, '-1': -1 }[text.replace(/\n$/, '')] ?? NaN)
    return file === 'registered'
      ? this.#writeRegistered(kernel, value)
      : this.#writeRelease(kernel, value)
  }

  #writeRegistered(kernel: Kernel, value: number): string {
    if (!kernel.isEnabled || kernel.isDumpActive) return 'EPERM'
    if (value !== 0 && value !== 1) return 'EINVAL'
    const isThat = kernel.isRegistered === (value === 1)
    if (isThat && this.#isV5) return 'EINVAL'
    if (value === 0) {
      if (!isThat) this.#unregister(kernel)
      return 'ok'
    }
    if (isThat) this.#unregister(kernel)
    return this.#register(kernel)
  }

  /** §11.1: what firmware says about it changes nothing for the writer. */
  #writeRelease(kernel: Kernel, value: number): string {
    if (!kernel.isDumpActive) return 'EPERM'
    if (value !== 1) return 'EINVAL'
    if (this.#invalidate(kernel) !== success) return 'ok'
    kernel.isDumpActive = false
    this.#runDumpService(kernel)
    return 'ok'
  }

  /** §3.3: what the writer sees, and the flag. */
  #register(kernel: Kernel): string {
    kernel.hasStructure = true
    this.#hasHeader = true
    const status = this.#patient('register-status', () => this.#firmwareRegister('exact'))
    if (status === success || status === alreadyRegistered) kernel.isRegistered = true
    if (this.#isV5 || status === success) return 'ok'
    return status === parameterError ? 'EINVAL' : status === alreadyRegistered ? 'EEXIST' : 'EIO'
  }

  #unregister(kernel: Kernel): void {
    const status = this.#patient('unregister-status', () => this.#firmwareUnregister())
    if (status === success) kernel.isRegistered = false
  }

  #invalidate(kernel: Kernel): number {
    kernel.hasStructure = true
    return this.#patient('invalidate-status', () => this.#firmwareInvalidate())
  }

  #runDumpService(kernel: Kernel): void {
    const { isEnabled, isRegistered, isDumpActive } = kernel
    if (this.setup.dumpService && isEnabled && !isRegistered && !isDumpActive)
      this.#register(kernel)
  }

  #append(text: string): string {
    const { kernel } = this
    if (kernel === undefined || kernel.isHalted) return 'wrong-state'
    if (this.#isV5 || !kernel.isEnabled) return 'ENOENT'
    if (kernel.isDumpActive) return 'EPERM'
    if (text.length >= commandLineMax) return 'EINVAL'
    if (kernel.commandLine.length + text.length >= commandLineMax) return 'ENOSPC'
    this.#appended = text.replace(/\n$/, '')
    return 'ok'
  }

  /** One call of the kernel: busy (-2) and extended delay (990x) are tried again. */
  #patient(fault: FaultName, call: () => number): number {
    const struck = this.#strike(fault)?.value
    if (struck === undefined) return call()
    return struck === -2 || (struck >= 9900 && struck <= 9905) ? call() : struck
  }

  #strike(name: FaultName): { readonly value: number | undefined } | undefined {
    const armed = this.#faults.get(name)
    if (armed?.left !== true) return undefined
    armed.left = false
    return { value: armed.value }
  }

  #rawCall(command: number, length: RawLength): string {
    if (!this.#isUp) return 'skipped'
    if (!this.setup.dumpOption) return String(parameterError)
    const names: Readonly<Record<number, FaultName>> = {
      1: 'register-status',
      2: 'unregister-status',
      3: 'invalidate-status',
    }
    const fault = names[command]
    if (fault === undefined) return String(parameterError)
    const struck = this.#strike(fault)?.value
    if (struck !== undefined) return String(struck)
    if (command === 1) return String(this.#firmwareRegister(length))
    return String(command === 2 ? this.#firmwareUnregister() : this.#firmwareInvalidate())
  }

  /** §3.3, QEMU's order of checks; PAPR asks for the exact length and at most 512 bytes. */
  #firmwareRegister(length: RawLength): number {
    if (this.registration === 'registered') return alreadyRegistered
    if (this.registration === 'active') return dumpActive
    if (length === 'tiny' || this.kernel?.hasStructure !== true) return parameterError
    if (length !== 'exact' && !this.#isQemu) return parameterError
    this.registration = 'registered'
    return success
  }

  #firmwareUnregister(): number {
    if (this.registration === 'active') return dumpActive
    this.registration = 'idle'
    return success
  }

  #firmwareInvalidate(): number {
    if (this.registration === 'active') {
      this.registration = 'idle'
      this.dump = undefined
      if (this.state === 'capturing') this.state = 'running'
      return success
    }
    if (!this.#isQemu) return parameterError
    this.registration = 'idle'
    return success
  }

  /** §3.5, §1.2: the way down of a kernel. */
  #crash(): void {
    const { kernel } = this
    if (kernel === undefined) return
    if (kernel.canTerminate) {
      const refused = this.#strike('os-term-status')?.value
      if (refused !== -1) {
        if (this.registration === 'registered') {
          this.#preserve()
          return
        }
        if (this.#isQemu) {
          this.#powerOff()
          return
        }
        this.state = 'terminated'
      }
    }
    kernel.isHalted = true
    if (!this.setup.bootArguments.includes('panic=0')) this.#restart()
  }

  #shutdown(action: 'reboot' | 'power-off'): string {
    const { kernel } = this
    if (kernel === undefined || kernel.isHalted) return 'wrong-state'
    if (kernel.isDumpActive) this.#invalidate(kernel)
    else if (kernel.isRegistered && !this.#isV5) this.#unregister(kernel)
    if (action === 'reboot') this.#restart()
    else this.#powerOff()
    return 'ok'
  }

  #powerOff(): void {
    this.state = 'not-activated'
    this.registration = 'idle'
    this.dump = undefined
    this.kernel = undefined
    this.planted = undefined
    this.#hasHeader = false
    this.#appended = ''
    this.epoch += 1
  }

  /** A dump that waits is presented again; PHYP forgets a registration, QEMU does not. */
  #restart(): void {
    if (this.state === 'capturing' || this.dump !== undefined) {
      this.#bootCapture()
      return
    }
    if (!this.#isQemu) this.registration = 'idle'
    this.#bootFirst()
  }

  #newKernel(commandLine: string): Kernel {
    const { dumpOption, bootArguments } = this.setup
    this.epoch += 1
    const isArmed = this.#faults.has('no-extended-os-term')
    return {
      commandLine,
      isEnabled: dumpOption && bootArguments !== 'fadump=off',
      canTerminate: !isArmed,
      isRegistered: false,
      isDumpActive: false,
      hasReleaseFile: false,
      hasStructure: false,
      isHalted: false,
    }
  }

  /** T4: a modern kernel registers by itself; the dump service tries as well. */
  #bootFirst(): void {
    this.planted = undefined
    this.#hasHeader = false
    this.#appended = ''
    const kernel = this.#newKernel(this.setup.bootArguments)
    this.kernel = kernel
    if (!this.#isV5 && kernel.isEnabled) this.#register(kernel)
    this.#runDumpService(kernel)
    this.state = 'running'
  }

  #preserve(): void {
    this.crashes += 1
    this.epoch += 1
    this.dump = dumpOf(this.setup, {
      planted: this.planted,
      hasHeader: this.#hasHeader,
      appended: this.#appended,
      strikes: (fault) => this.#strike(fault) !== undefined,
    })
    this.registration = 'active'
    this.#bootCapture()
  }

  #bootCapture(): void {
    const { dump } = this
    if (dump === undefined) {
      this.state = 'error'
      return
    }
    this.state = 'capturing'
    const { bootArguments } = this.setup
    const line = this.#isV5 ? bootArguments : `${bootArguments} ${dump.appended}`
    const kernel = this.#newKernel(line)
    this.kernel = kernel
    this.planted = undefined
    if (isAccepted(dump, this.setup)) {
      kernel.isDumpActive = true
      kernel.hasReleaseFile = true
      return
    }
    // §11.6 "Reject": command 3, memory released, no /proc/vmcore, and on as a production kernel.
    this.#invalidate(kernel)
    this.#runDumpService(kernel)
  }
}
