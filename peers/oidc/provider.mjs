// A certified OpenID Provider as a company's own: people, their groups, and API resources with JWT access tokens (RFC 9068).
// Usage: node provider.mjs '{"port": 0, "clients": […], "people": {"alice": {"groups": ["sales"]}}, "keys": […]}'
// Prints {"issuer": …} once it listens. Sign-in takes the name of any of the people, and any password.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const wanted = JSON.parse(process.argv[2]);
const server = createServer((request, response) => provider.callback()(request, response));
await new Promise((listening) => server.listen(wanted.port, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: wanted.clients,
  ...(wanted.keys && { jwks: { keys: wanted.keys } }),
  cookies: { keys: ['a key of tests'] },
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
  scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
  conformIdTokenClaims: false,
  ...(wanted.rotates && { rotateRefreshToken: true }),
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  features: {
    clientCredentials: { enabled: true },
    registration: { enabled: wanted.registration === true },
    dPoP: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client, oneOf) => oneOf,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'mcp mcp:read',
        audience: resource,
        accessTokenTTL: wanted.token_seconds ?? 300,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  extraTokenClaims: async (ctx, token) => {
    const person = wanted.people[token.accountId];
    return person ? { groups: person.groups } : undefined;
  },
  findAccount: (ctx, id) => {
    const person = wanted.people[id];
    return person && {
      accountId: id,
      claims: () => ({ sub: id, name: id, preferred_username: id, email: `${id}@example.com`, email_verified: true, groups: person.groups }),
    };
  },
  ttl: { AccessToken: wanted.token_seconds ?? 300, ClientCredentials: wanted.token_seconds ?? 300, Interaction: 600, Session: 3600, Grant: 3600 },
});
console.log(JSON.stringify({ issuer }));
