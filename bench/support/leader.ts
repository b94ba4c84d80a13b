/** Which of a gateway's stubs carries the traffic. */

/** The position of the provider that serves now; `startGateway` calls them p0, p1, ... */
export async function leader(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/rpc/ethereum?no-cache=1`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x0","latest"]}',
  });
  await answer.text();
  return Number((answer.headers.get("x-paceline-provider") ?? "p0").slice(1));
}
