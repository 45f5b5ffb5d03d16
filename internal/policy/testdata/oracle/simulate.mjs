// Answers JSON lines with the decision of @cloud-copilot/iam-simulate, which is looked for in the working directory:
// allow, implicit_deny, explicit_deny, or error: with the reason.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { join } from 'node:path'

const require = createRequire(join(process.cwd(), 'package.json'))
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const words = { Allowed: 'allow', ImplicitlyDenied: 'implicit_deny', ExplicitlyDenied: 'explicit_deny' }

for await (const line of createInterface({ input: process.stdin })) {
  const result = await runSimulation(JSON.parse(line), {})
  const word = words[result.overallResult]
  console.log(result.resultType === 'error' || !word ? 'error: ' + JSON.stringify(result) : word)
}
