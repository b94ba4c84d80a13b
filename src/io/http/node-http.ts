/**
 * node:http's parts that we run, without its ECMAScript face.
 *
 * `import … from "node:http"` reads every export to build that face, `http.WebSocket` among them, and
 * that one loads the whole of Node's bundled undici with HTTP/2: 55 ms and 14 MB of a start for
 * something that nobody here uses. Import types from "node:http", what runs from here.
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule("node:http");
