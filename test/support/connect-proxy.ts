import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

export interface ConnectProxy {
  readonly port: number;
  /** What `Proxy-Authorization` said, and where the tunnels lead. */
  readonly seen: readonly { readonly target: string; readonly authorization: string | undefined }[];
  close(): void;
}

/** A proxy as companies have them: opens a tunnel to wherever it is asked to. */
export async function startConnectProxy(): Promise<ConnectProxy> {
  const seen: { target: string; authorization: string | undefined }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('connect', (request, socket: Socket) => {
    const target = request.url ?? '';
    seen.push({ target, authorization: request.headers['proxy-authorization'] });
    const { hostname, port } = new URL(`tcp://${target}`);
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) {
      sockets.add(end);
      end.on('error', () => end.destroy());
      end.on('close', () => sockets.delete(end));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
