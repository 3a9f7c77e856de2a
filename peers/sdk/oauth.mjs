// A person's agent on the official TypeScript SDK that knows nothing but a URL: discovers, registers, has its person sign in, and calls.
// Usage: node oauth.mjs URL CLIENT_METADATA_URL KEPT. The second may be empty: it registers itself then. The third may be what it has kept of an
// earlier run (JSON: token, client). On stdin: a JSON list of [tool, arguments]; then the redirect that its person's browser ended at,
// for each `{"authorize": …}` that it prints. It ends with what it saw, or with `{"failed": …}`.
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [url, metadataUrl, before] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const line = async () => (await lines.next()).value;
const kept = before ? JSON.parse(before) : {};
const redirect = 'http://127.0.0.1:9/callback';

const authProvider = {
  redirectUrl: redirect,
  clientMetadataUrl: metadataUrl || undefined,
  clientMetadata: { client_name: 'An agent of tests', redirect_uris: [redirect], grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'none' },
  state: () => 'the state of tests',
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client; },
  tokens: () => kept.token,
  saveTokens: (token) => { kept.token = token; },
  redirectToAuthorization: (to) => console.log(JSON.stringify({ authorize: to.href })),
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
  invalidateCredentials: (what) => { if (what === 'tokens' || what === 'all') delete kept.token; if (what === 'client' || what === 'all') delete kept.client; },
};

// A client on a new connection: the SDK wants one after each authorization.
let transport, client;
async function connect() {
  transport = new StreamableHTTPClientTransport(new URL(url), { authProvider });
  client = new Client({ name: 'an agent of tests', version: '1' });
  await client.connect(transport);
}

// What is done, done again once the person has been asked where the SDK says that this is needed.
async function authorized(act) {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    const told = new URL(await line()).searchParams;
    if (!told.get('code')) throw new Error(told.get('error'));
    await transport.finishAuth(told.get('code'));
    await connect();
    return act === connect ? undefined : await act();
  }
}

try {
  const calls = JSON.parse(await line());
  await authorized(connect);
  const { tools } = await client.listTools();
  const results = [];
  for (const [name, args] of calls) results.push(await authorized(() => client.callTool({ name, arguments: args })));
  console.log(JSON.stringify({ tools: tools.map((tool) => tool.name), results, token: kept.token, client: kept.client?.client_id ?? '' }));
  await client.close();
} catch (error) {
  console.log(JSON.stringify({ failed: String(error) }));
}
process.exit(0);
