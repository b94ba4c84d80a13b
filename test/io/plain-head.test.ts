import { describe, expect, it } from "vitest";
import { findHead } from "../../src/io/http/plain-head.ts";

const HEAD = "POST /rpc/x?a=b HTTP/1.1\r\nHost: h:1\r\nContent-Length: 12\r\nX-A:  b c\r\n\r\n";
const find = (text: string, known?: string) => {
  const before =
    known === undefined ? undefined : findHead(Buffer.from(known, "latin1"), undefined);
  return findHead(Buffer.from(text, "latin1"), before?.head);
};

describe("the head of a plain POST", () => {
  it("says where the body is, who asked for what, and which fields came", () => {
    const found = find(`${HEAD}{}`);
    expect(found).toMatchObject({ bodyStart: HEAD.length, bodyBytes: 12 });
    expect(found?.head).toMatchObject({
      url: "/rpc/x?a=b",
      host: "h:1",
      rawHeaders: ["Host", "h:1", "X-A", "b c"],
      acceptEncoding: undefined,
    });
  });

  it("is known again when only its length differs", () => {
    const first = findHead(Buffer.from(HEAD), undefined);
    for (const [digits, bodyBytes] of [
      ["0", 0],
      ["7", 7],
      ["123456789", 123_456_789],
    ] as const) {
      const again = findHead(Buffer.from(HEAD.replace("12", digits)), first?.head);
      expect(again?.head).toBe(first?.head);
      expect(again).toMatchObject({ bodyBytes, bodyStart: HEAD.length + digits.length - 2 });
    }
    const other = findHead(Buffer.from(HEAD.replace("b c", "b d")), first?.head);
    expect(other?.head.rawHeaders.at(-1)).toBe("b d");
  });

  it.each([
    ["in part", HEAD.slice(0, -1)],
    ["in part, in the middle of a line", HEAD.slice(0, 40)],
    ["of another method", HEAD.replace("POST", "PUT")],
    ["of another version", HEAD.replace("1.1", "1.0")],
    ["with an absolute target", HEAD.replace("/rpc", "http://h/rpc")],
    ["with an odd target", HEAD.replace("a=b", "a=\x80")],
    ["with a fragment", HEAD.replace("a=b", "#b")],
    ["without a host", HEAD.replace("Host", "Most")],
    ["with two hosts", HEAD.replace("X-A", "Host")],
    ["without a length", HEAD.replace("Content-Length", "Content-Lengt")],
    ["with two lengths", HEAD.replace("X-A:  b c", "content-length: 12")],
    ["with a length that is none", HEAD.replace("12", "1x")],
    ["with a signed length", HEAD.replace("12", "+2")],
    ["with a list of lengths", HEAD.replace("12", "12, 12")],
    ["with a huge length", HEAD.replace("12", "1234567890")],
    ["with a coding of the transfer", HEAD.replace("X-A:  b c", "Transfer-Encoding: chunked")],
    ["with an encoded body", HEAD.replace("X-A:  b c", "Content-Encoding: gzip")],
    ["that expects something", HEAD.replace("X-A:  b c", "Expect: 100-continue")],
    ["that wants another protocol", HEAD.replace("X-A:  b c", "Upgrade: websocket")],
    ["that ends the connection", HEAD.replace("X-A:  b c", "Connection: close")],
    ["that announces trailers", HEAD.replace("X-A:  b c", "Trailer: x")],
    ["with a space before the colon", HEAD.replace("X-A:", "X-A :")],
    ["with a space after the value", HEAD.replace("b c", "b ")],
    ["with a folded line", HEAD.replace("X-A:", " X-A:")],
    ["with a tab before the value", HEAD.replace("X-A:  ", "X-A:\t")],
    ["with an empty value", HEAD.replace("  b c", "")],
    ["with a control character", HEAD.replace("b c", "b\x01c")],
    ["with a byte that is not ASCII", HEAD.replace("b c", "b\xe9c")],
    ["with bare line feeds", HEAD.replaceAll("\r\n", "\n")],
    ["with a lone carriage return", HEAD.replace("b c", "b\rc")],
    ["with too many fields", HEAD.replace("X-A:  b c", "A: b\r\n".repeat(64) + "B: c")],
    ["that is too long", HEAD.replace("b c", "b".repeat(9000))],
  ])("is not plain %s", (_what, text) => {
    expect(find(`${text}{"a":1}`)).toBeUndefined();
    expect(find(`${text}{"a":1}`, HEAD)).toBeUndefined();
  });
});
