// What all servers use: the address to listen on, and the body of a response.

export const host = "127.0.0.1";
export const port = Number(process.env.PORT);

/** The JSON object of a served route. Lists are joined with commas. Values that the server does not know are omitted. */
export function report(read) {
  const known = Object.entries(read).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(known.map(([key, value]) => [key, text(value)]));
}

function text(value) {
  if (Array.isArray(value)) return value.map(text).join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
