/** The crash info header. */
import { explainStructure } from '@fadump-lab/shared/explain'
import { crashInfoLayouts, kernelProfiles } from '@fadump-lab/shared/fadump'
import { truthBytes } from '../../../test/fixtures/truth/index.ts'
import { block, layoutTable } from './pieces.ts'

export function crashInfoSection(): string {
  return [
    '## Crash info header\n',
    'The first kernel leaves it for the capture kernel, right behind the copy of boot memory. In the byte order of the',
    'kernel, which shows in the magic (`struct fadump_crash_info_header`).\n',
    '### Linux 6.10 and later\n',
    layoutTable(crashInfoLayouts.FADMPSIG(kernelProfiles.modern), '####'),
    '### Until Linux 6.9, here that of 3.4\n',
    layoutTable(crashInfoLayouts.FADMPINF(kernelProfiles.v5), '####'),
    '### As Linux 7.2 left it\n',
    block(explainStructure('crash-info', truthBytes('fadumphdr-second.bin'))),
  ].join('\n')
}
