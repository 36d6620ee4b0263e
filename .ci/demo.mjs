// Waits until the gateway serves and has the demo's tools, proves it with one
// call as a client would make it, and prints what to do next.
import { setTimeout as sleep } from 'node:timers/promises'

const base = process.argv[2]
const deadline = Date.now() + 60_000

// until repeats ask until it gives a truthy answer; its last error says why not.
async function until(what, ask) {
  let why = 'no answer'
  while (Date.now() < deadline) {
    try {
      const answer = await ask()
      if (answer) return answer
    } catch (err) {
      why = err.cause?.message ?? err.message
    }
    await sleep(200)
  }
  console.error(`demo: gave up waiting for ${what}: ${why}\ndemo: see 'docker compose --profile demo logs'`)
  process.exit(1)
}

async function get(path) {
  const res = await fetch(base + path, { signal: AbortSignal.timeout(5_000) })
  if (!res.ok) throw new Error(`${path} answered ${res.status}: ${(await res.text()).slice(0, 200)}`)
  return res
}

// rpc posts one message of the session and gives its result.
let session
async function rpc(method, params, id) {
  const res = await fetch(base + '/mcp', {
    method: 'POST',
    signal: AbortSignal.timeout(10_000),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(session && { 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', method, params, ...(id && { id }) }),
  })
  const text = await res.text()
  if (!res.ok) throw new Error(`${method} answered ${res.status}: ${text.slice(0, 200)}`)
  session ??= res.headers.get('mcp-session-id')
  if (!id) return
  // The answer is one JSON object, or the last event of a stream.
  const data = text.startsWith('{') ? text : text.split('\n').findLast((l) => l.startsWith('data:')).slice(5)
  const { result, error } = JSON.parse(data)
  if (error) throw new Error(`${method}: ${error.message}`)
  return result
}

await until('the gateway', () => get('/readyz'))
await until('the dashboard', () => get('/'))
await until('an MCP session', async () => {
  session = undefined
  await rpc('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'make demo', version: '1' } }, 1)
  await rpc('notifications/initialized')
  return true
})
const tools = await until("the demo's tools", async () => {
  const { tools } = await rpc('tools/list', {}, 2)
  return tools.some((t) => t.name.startsWith('demo__')) && tools
})
const call = { name: 'demo__convert', arguments: { value: 26.2, from: 'mi', to: 'km' } }
const result = await until('a call', () => rpc('tools/call', call, 3))
if (session) {
  await fetch(base + '/mcp', { method: 'DELETE', headers: { 'mcp-session-id': session } }).catch(() => {})
}

const width = Math.max(...tools.map((t) => t.name.length))
console.log(`
Dashboard   ${base}

Tools found
${tools.map((t) => `  ${t.name.padEnd(width)}  ${(t.description ?? '').split('\n')[0]}`).join('\n')}

${call.name} ${JSON.stringify(call.arguments)}
  → ${result.content?.find((c) => c.type === 'text')?.text ?? JSON.stringify(result)}

Connect Claude Code
  claude mcp add --transport http gw ${base}/mcp

Stop it
  docker compose --profile demo down
`)
