/** docs/problems.md: every refusal of the HTTP interfaces. */
import { problems } from '@fadump-lab/shared/contracts'
import { heading } from './markdown.ts'

const introduction = `
Every refusal is an RFC 9457 problem, media type \`application/problem+json\`. Its \`type\` is \`/problems/<slug>\`, \`title\` and
\`status\` are those of this page, \`detail\` names the thing, the rule and the value. *Retry* says whether the same request can
succeed later: \`never\`, \`after-change\` of something else, or \`backoff\`: simply later.
`

const retryText = {
  never: 'never',
  'after-change': 'after a change',
  backoff: 'later, with a growing pause',
} as const

export function problemsPage(): string {
  const sections = Object.entries(problems).map(([slug, row]) =>
    [
      `## ${slug}`,
      '',
      `**${row.status} ${row.title}.** Retry: ${retryText[row.retry]}. ${row.operator}`,
      '',
    ].join('\n'),
  )
  return [
    heading('Problems', 'packages/shared/src/contracts/problems.ts'),
    introduction.trimStart(),
    ...sections,
  ].join('\n')
}
