/**
 * Registration of a dump as firmware sees it, and the commands of `ibm,configure-kernel-dump`.
 *
 * The machine has the transitions that change something; what a command answers in which state is a matter of the
 * firmware personality (see validate-registration.ts).
 */
import { machine } from '../units/index.ts'

export const registrationMachine = machine('registration', {
  idle: { register: 'registered' },
  registered: {
    unregister: 'idle',
    osTerm: 'dumping',
    systemReset: 'dumping',
    // The platform withdraws the registration: migration, partition boot, power off.
    disable: 'idle',
  },
  dumping: { preserved: 'active', preserveFailed: 'idle', disable: 'idle' },
  active: {
    invalidate: 'idle',
    // An operator gives the dump up: power off, or an explicit discard.
    discard: 'idle',
  },
})

export type RegistrationState = (typeof registrationMachine.states)[number]
export type RegistrationEvent = (typeof registrationMachine.events)[number]

export interface ConfigureKernelDumpCommand {
  readonly command: number
  readonly name: 'register' | 'unregister' | 'invalidate'
  readonly meaning: string
}

/** First argument of `ibm,configure-kernel-dump`. */
export const configureKernelDumpCommands: readonly ConfigureKernelDumpCommand[] = [
  { command: 1, name: 'register', meaning: 'register for future kernel dump' },
  { command: 2, name: 'unregister', meaning: 'unregister for future kernel dump' },
  { command: 3, name: 'invalidate', meaning: 'complete/invalidate current kernel dump' },
]
export const configureKernelDumpCommand = { register: 1, unregister: 2, invalidate: 3 } as const
