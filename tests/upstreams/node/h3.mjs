// h3 1.

import { createServer } from "node:http";
import { createApp, createRouter, toNodeListener } from "h3";
import { host, port } from "./echo.mjs";
import { answer } from "./h3-answer.mjs";

const app = createApp();
const router = createRouter();
app.use(router);

const serve = (path, route) => router.get(path, answer(route)).post(path, answer(route)).delete(path, answer(route));
serve("/admin", "admin");
serve("/admin/**", "admin");
serve("/users/:id/orders", "orders");
serve("/users/:id", "user");
serve("/public", "public");
serve("/public/**", "public");

createServer(toNodeListener(app)).listen(port, host);
