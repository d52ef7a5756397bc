// The users of the demonstration. Everyone who reads this file knows their passwords.

export const SCOPES = ["orders:read", "orders:write"];

/** Satisfied by a sign-in with the one-time code. */
export const SECOND_FACTOR = "urn:example:mfa";
export const CODE = "123456";

export const USERS = new Map([
  ["alice", { password: "alice-demo", scopes: ["orders:read"], roles: [], what: "reads orders" }],
  ["olga", { password: "olga-demo", scopes: SCOPES, roles: ["operator"], what: "operator: reads and writes orders, opens /admin" }],
]);

/**
 * What is wrong with a submitted sign-in form, or `undefined`.
 * @param {URLSearchParams} form
 */
export function faultOf(form, isCodeRequired) {
  if (USERS.get(form.get("user"))?.password !== form.get("password")) {
    return "The user name or the password is wrong.";
  }
  if (isCodeRequired && form.get("code") !== CODE) {
    return "The one-time code is wrong.";
  }
  return undefined;
}
