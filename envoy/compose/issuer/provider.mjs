// The configuration of npm's `oidc-provider`: one API, one client for people, one client for the terminal.

import { generateKeyPairSync } from "node:crypto";

import Provider, { errors } from "oidc-provider";

import { SCOPES, SECOND_FACTOR, USERS } from "./users.mjs";

/** The API behind Envoy: the audience of the access tokens. */
const API = "http://localhost:10000";

/** A signing key that lives as long as this process. The filter fetches the new one after a restart. */
function signingKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: `demo-${Date.now()}`, alg: "ES256", use: "sig" };
}

/** Grants what the user may do, without a question: the client belongs to the same demonstration. */
async function grantOf(ctx) {
  const { account, client, provider } = ctx.oidc;
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
  grant.addOIDCScope("openid");
  const { scopes } = USERS.get(account.accountId);
  for (const scope of SCOPES) {
    if (scopes.includes(scope)) grant.addResourceScope(API, scope);
    else grant.rejectResourceScope(API, scope);
  }
  await grant.save();
  return grant;
}

/** The claims that the filter needs for rules about roles and about the sign-in (RFC 9068 §2.2). */
function claimsOf(ctx, token) {
  if (token.kind !== "AccessToken") return undefined;
  const { acr, authTime } = ctx.oidc.entities.AuthorizationCode;
  return { roles: USERS.get(token.accountId).roles, acr, auth_time: authTime };
}

export function provider(issuer) {
  const client = { id_token_signed_response_alg: "ES256" };
  return new Provider(issuer, {
    jwks: { keys: [signingKey()] },
    clients: [
      {
        ...client,
        client_id: "page",
        redirect_uris: [`${issuer}/`],
        grant_types: ["authorization_code"],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
      },
      {
        ...client,
        client_id: "terminal",
        client_secret: "terminal-demo",
        redirect_uris: [],
        grant_types: ["client_credentials"],
        response_types: [],
      },
    ],
    acrValues: [SECOND_FACTOR],
    scopes: ["openid"],
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    loadExistingGrant: grantOf,
    extraTokenClaims: claimsOf,
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    ttl: { AccessToken: 600, ClientCredentials: 600, Grant: 3600, IdToken: 600, Interaction: 600, Session: 3600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => API,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => {
          if (resource !== API) throw new errors.InvalidTarget();
          return { audience: API, scope: SCOPES.join(" "), accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } };
        },
      },
    },
  });
}
