import { conformance } from './conformance.ts'

conformance('modern/papr')
