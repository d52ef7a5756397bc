// What a handler of h3 1 reads, for h3 and for Nitro.

import { defineEventHandler, getCookie, getHeader, getQuery, getRequestHost, getRequestPath, getRouterParam } from "h3";
import { report } from "./echo.mjs";

export const answer = (route) =>
  defineEventHandler((event) =>
    report({
      route,
      id: getRouterParam(event, "id", { decode: true }),
      path: getRequestPath(event),
      method: event.method,
      host: getRequestHost(event, { xForwardedHost: true }),
      subject: getHeader(event, "x-auth-subject"),
      version: getHeader(event, "x-api-version"),
      authorization: getHeader(event, "authorization"),
      token: getQuery(event).access_token,
      session: getCookie(event, "session"),
    }),
  );
