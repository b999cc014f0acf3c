/** A soak as JUnit XML, in the form that CI systems read (testsuites, testsuite, testcase, failure). */
import type { SoakCrash, SoakReport } from '@fadump-lab/shared/contracts'
import { create } from 'xmlbuilder2'
import { replayCrash } from './replay.ts'

interface Case {
  readonly suite: string
  readonly name: string
  readonly seconds: number
  /** What failed, with how to see it again; absent when nothing did. */
  readonly failure?: string
}

/** One suite for each scenario, one for what has to be as before, one for the faults. */
export function junitXml(report: SoakReport): string {
  const cases = [...report.crashes.map((crash) => crashCase(report, crash)), ...otherCases(report)]
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele('testsuites', {
    name: `soak ${report.id} seed 0x${report.seed.toString(16)}`,
    ...countsOf(cases),
  })
  for (const [name, members] of Map.groupBy(cases, ({ suite }) => suite)) {
    const suite = root.ele('testsuite', {
      name,
      ...countsOf(members),
      errors: 0,
      skipped: 0,
      timestamp: report.startedAt.replace(/\.\d+Z$/, ''),
      hostname: 'fadump-lab',
    })
    for (const each of members) {
      const testcase = suite.ele('testcase', {
        classname: `soak.${name}`,
        name: each.name,
        time: each.seconds.toFixed(3),
      })
      if (each.failure === undefined) continue
      const [message = ''] = each.failure.split('\n')
      testcase.ele('failure', { message, type: 'SoakCheck' }).txt(each.failure)
    }
  }
  return root.end({ prettyPrint: true })
}

function countsOf(cases: readonly Case[]): Record<string, string | number> {
  return {
    tests: cases.length,
    failures: cases.filter(({ failure }) => failure !== undefined).length,
    time: cases.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3),
  }
}

function crashCase(report: SoakReport, crash: SoakCrash): Case {
  const { number, partition, scenario, cause, crashedAtMs, endedAtMs } = crash
  const failed = crash.checks.filter(({ passed }) => !passed)
  const lines = failed.map(({ name, detail }) => `${name}: ${detail ?? 'failed'}`)
  const told = lines.length === 0 ? [crash.outcome] : lines
  return {
    suite: scenario,
    name: `crash ${number} of ${partition} by ${cause}`,
    seconds: Math.max(0, endedAtMs - (crashedAtMs ?? endedAtMs)) / 1000,
    ...(crash.passed
      ? {}
      : { failure: [...told, `again: ${replayCrash(report, number)}`].join('\n') }),
  }
}

function otherCases({ base, faults, replay }: SoakReport): Case[] {
  return [
    ...base.map(({ what, before, after, allowed, unit, passed }) => ({
      suite: 'base level',
      name: what,
      seconds: 0,
      ...(passed
        ? {}
        : {
            failure: `${after} ${unit} after it, ${before} before, ${allowed} allowed\nagain: ${replay}`,
          }),
    })),
    ...faults.map(({ name, armed, struck, lost }) => ({
      suite: 'faults',
      name,
      seconds: 0,
      ...(struck > 0 && lost === 0
        ? {}
        : { failure: `armed ${armed}, struck ${struck}, lost ${lost}\nagain: ${replay}` }),
    })),
  ]
}
