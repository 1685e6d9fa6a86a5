// test/adversarial/deflate.mjs - compressed payloads, honest ones and bombs.
import { constants, deflateRawSync } from 'node:zlib';

// Without takeover each of the server's frames can be inflated on its own, which is all that RawWebSocket does.
export const kDeflate = { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover; client_max_window_bits' };

// A message as RFC 7692 7.2.1 wants it: sync-flushed, without the last four bytes.
export function deflated(message) {
  return deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

// So many megabytes of zeros. Each piece ends on a sync flush and begins anew, so pieces can be strung together.
export function bomb(megabytes) {
  const piece = deflateRawSync(Buffer.alloc(10_000_000), { level: 9, finishFlush: constants.Z_SYNC_FLUSH });
  return Buffer.concat(Array(megabytes / 10).fill(piece)).subarray(0, -4);
}
