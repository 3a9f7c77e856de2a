// A certified OpenID Provider as an authorization server that nobody signs in to: client credentials proven in every way, and the grants
// that it has no code of its own for: token exchange (RFC 8693), JWT bearer (RFC 7523, and Entra's on behalf of), identity assertions.
// Usage: node exchanging.mjs '{"clients": […], "key": {an EC JWK}, "trusted": {"https://issuer": "https://its/jwks"}, "tls": {"key", "cert"}}'
// Prints {"issuer": …} once it listens. Each answer of /seen says what the token endpoint was asked so far.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { SignJWT, createRemoteJWKSet, decodeJwt, importJWK, jwtVerify } from 'jose';
import Provider, { errors } from 'oidc-provider';

const wanted = JSON.parse(process.argv[2]);
const serve = (request, response) => {
  if (request.url !== '/seen') return provider.callback()(request, response);
  response.setHeader('content-type', 'application/json').end(JSON.stringify(seen));
};
const tls = wanted.tls && { key: readFileSync(wanted.tls.key), cert: readFileSync(wanted.tls.cert), requestCert: true, rejectUnauthorized: false };
const server = tls ? https.createServer(tls, serve) : http.createServer(serve);
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = tls ? `https://localhost:${server.address().port}` : `http://127.0.0.1:${server.address().port}`;
const seen = [];
const key = await importJWK(wanted.key, 'ES256');
const seconds = wanted.token_seconds ?? 300;
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';

const provider = new Provider(issuer, {
  clients: wanted.clients,
  clientDefaults: { id_token_signed_response_alg: 'ES256', redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
  jwks: { keys: [wanted.key] },
  cookies: { keys: ['a key of tests'] },
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt', 'self_signed_tls_client_auth'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    revocation: { enabled: true },
    mTLS: { enabled: true, selfSignedTlsClientAuth: true, getCertificate: (ctx) => ctx.req.socket.getPeerX509Certificate?.()?.toString() },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'read write',
        audience: resource,
        accessTokenTTL: seconds,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  ttl: { ClientCredentials: seconds },
});

// What a token that was shown says, if it is of this server, or of somebody whom it trusts and for it.
async function verified(token) {
  const { iss } = decodeJwt(token);
  const keys = iss === issuer ? `${issuer}/jwks` : wanted.trusted?.[iss];
  if (!keys) throw new errors.InvalidGrant('the token is of nobody who is known');
  const bounds = iss === issuer ? {} : { audience: issuer };
  return (await jwtVerify(token, createRemoteJWKSet(new URL(keys)), { issuer: iss, ...bounds }).catch(() => {
    throw new errors.InvalidGrant('the token is not good');
  })).payload;
}

async function signed(claims, typ) {
  const now = Math.floor(Date.now() / 1000);
  const whole = { iss: issuer, iat: now, exp: now + seconds, jti: crypto.randomUUID(), ...claims };
  return new SignJWT(whole).setProtectedHeader({ alg: 'ES256', typ, kid: wanted.key.kid }).sign(key);
}

async function answered(ctx, claims) {
  const { client, params } = ctx.oidc;
  const token = await signed({ aud: params.resource ?? params.audience, client_id: client.clientId, scope: params.scope, ...claims }, 'at+jwt');
  ctx.body = { access_token: token, token_type: 'Bearer', expires_in: seconds, ...(params.scope && { scope: params.scope }) };
}

// A person's own access token, as if they had signed in somewhere.
provider.registerGrantType('urn:test:person', async (ctx) => {
  const { params } = ctx.oidc;
  await answered(ctx, { sub: params.person, scope: 'mcp' });
}, ['person', 'resource']);

provider.registerGrantType('urn:ietf:params:oauth:grant-type:token-exchange', async (ctx) => {
  const { client, params } = ctx.oidc;
  seen.push({ ...params });
  const subject = await verified(params.subject_token);
  const actor = params.actor_token ? { sub: (await verified(params.actor_token)).sub } : subject.act;
  if (params.requested_token_type === ID_JAG) {
    const { audience, resource, scope } = params;
    const assertion = await signed({ sub: subject.sub, aud: audience, resource, scope, client_id: wanted.known_as[audience] }, 'oauth-id-jag+jwt');
    ctx.body = { access_token: assertion, token_type: 'N_A', issued_token_type: ID_JAG, expires_in: seconds };
    return;
  }
  await answered(ctx, { sub: subject.sub, act: actor ?? { sub: client.clientId } });
  ctx.body.issued_token_type = ACCESS_TOKEN;
}, ['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type', 'audience', 'resource', 'scope']);

provider.registerGrantType('urn:ietf:params:oauth:grant-type:jwt-bearer', async (ctx) => {
  const { params } = ctx.oidc;
  seen.push({ ...params });
  const { sub, act } = await verified(params.assertion);
  await answered(ctx, { sub, act });
}, ['assertion', 'requested_token_use', 'resource', 'scope']);

console.log(JSON.stringify({ issuer }));
