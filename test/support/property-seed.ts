/**
 * Loaded before every test file by `./lab test`: all property tests draw from one seed, so that a run can be repeated.
 * `PROPERTY_SEED` names it; without it fast-check chooses one for each property and prints it on failure.
 */
import { configureGlobal, readConfigureGlobal } from 'fast-check'

const seed = process.env['PROPERTY_SEED']
if (seed !== undefined) configureGlobal({ ...readConfigureGlobal(), seed: Number(seed) })
