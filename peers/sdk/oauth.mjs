// A person's agent on the official TypeScript SDK that knows nothing but a URL: discovers, registers, has its person sign in, and calls.
// Usage: node oauth.mjs URL CLIENT_METADATA_URL (may be empty: it registers itself then). On stdin: the redirect that its person's browser
// ended at, after the `{"authorize": …}` that it prints; then a JSON list of [tool, arguments].
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [url, metadataUrl] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const line = async () => (await lines.next()).value;
const kept = {};
const redirect = 'http://127.0.0.1:9/callback';

const authProvider = {
  redirectUrl: redirect,
  clientMetadataUrl: metadataUrl || undefined,
  clientMetadata: { client_name: 'An agent of tests', redirect_uris: [redirect], grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'none' },
  state: () => 'the state of tests',
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  redirectToAuthorization: (to) => console.log(JSON.stringify({ authorize: to.href })),
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
};

const about = { name: 'an agent of tests', version: '1' };
let transport = new StreamableHTTPClientTransport(new URL(url), { authProvider });
let client = new Client(about);
try {
  await client.connect(transport);
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  await transport.finishAuth(new URL(await line()).searchParams.get('code'));
  transport = new StreamableHTTPClientTransport(new URL(url), { authProvider });
  client = new Client(about);
  await client.connect(transport);
}
const { tools } = await client.listTools();
const results = [];
for (const [name, args] of JSON.parse(await line())) results.push(await client.callTool({ name, arguments: args }));
console.log(JSON.stringify({ tools: tools.map((tool) => tool.name), results, token: kept.tokens, client: kept.client?.client_id ?? '' }));
await client.close();
process.exit(0);
