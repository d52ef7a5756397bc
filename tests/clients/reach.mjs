// A `fetch` to one address, whichever host the URL names, as if a load balancer with that name were before Envoy.
import http from "node:http";
import https from "node:https";

/** Each request has a connection of its own, so that every worker of Envoy gets some. `tls` is what `node:tls` takes. */
export function reach(address, tls) {
  const [host, port] = address.split(":");
  return (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      const { pathname, search, host: authority } = new URL(url);
      const options = {
        host,
        port,
        path: pathname + search,
        method,
        headers: { ...Object.fromEntries(new Headers(headers)), host: authority },
        agent: false,
        ...(tls && { servername: "localhost", ...tls }),
      };
      const request = (tls ? https : http).request(options, async (response) => {
        const blocks = [];
        for await (const block of response) blocks.push(block);
        const fields = new Headers();
        const { rawHeaders } = response;
        for (let i = 0; i < rawHeaders.length; i += 2) fields.append(rawHeaders[i], rawHeaders[i + 1]);
        resolve(new Response(Buffer.concat(blocks), { status: response.statusCode, headers: fields }));
      });
      request.on("error", reject);
      request.end(body?.toString());
    });
}
