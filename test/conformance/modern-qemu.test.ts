import { conformance } from './conformance.ts'

conformance('modern/qemu')
