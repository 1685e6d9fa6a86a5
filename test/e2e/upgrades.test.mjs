// test/e2e/upgrades.test.mjs - polling-to-WebSocket upgrades under way: a counter stream each way through every one of them,
// nothing lost, doubled or reordered.
//
// The official client numbers its messages from the moment it is open until well behind the upgrade; role `engineio` sends
// each back. So both directions carry a counter through the switch. 2,000 upgrades, 10,000 with TIDEWIRE_LONG=1.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { Socket } from 'engine.io-client';
import { long, reference, useFixture, withTimeout } from './harness.mjs';

const kUpgrades = long ? 10_000 : Number(process.env.TIDEWIRE_UPGRADES ?? (reference ? 200 : 2_000));
const kAtOnce = 20;
const kMessagesAfter = 5;

// A client that is ahead of a busy server by more than a payload may hold (10,000 packets) would be refused.
const kAheadMax = 2_000;

// One session: counts up on every turn of the event loop until the upgrade and kMessagesAfter beyond. Gives how many went.
function upgradeOnce(url) {
  const socket = new Socket(url, { transports: ['polling', 'websocket'] });
  let sent = 0;
  let heard = 0;
  let left = Infinity;
  let timer;
  const done = new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${why} after ${heard} of ${sent} echoes`));
    const sendNext = () => {
      if (left === 0 || socket.readyState !== 'open') return;
      if (sent - heard < kAheadMax) {
        socket.send(String(sent));
        sent += 1;
        left -= 1;
      }
      timer = setImmediate(sendNext);
    };
    socket.on('open', sendNext);
    socket.on('upgrade', () => (left = kMessagesAfter));
    socket.on('message', (message) => {
      if (message !== String(heard)) fail(`got ${message} in place of ${heard}`);
      heard += 1;
      if (left === 0 && heard === sent) resolve(sent);
    });
    socket.on('error', (error) => fail(error.message));
    socket.on('upgradeError', (error) => fail(`upgrade refused: ${error.message}`));
    socket.on('close', (reason) => fail(`closed: ${reason}`));
  });
  const finish = () => {
    clearImmediate(timer);
    socket.removeAllListeners();
    socket.close();
  };
  return withTimeout(done, 20_000, 'an upgrade with all its echoes').finally(finish);
}

async function upgradeMany(server) {
  let started = 0;
  let messages = 0;
  const worker = async () => {
    while (started < kUpgrades) {
      started += 1;
      const sent = await upgradeOnce(server.url);
      messages += sent;
    }
  };
  await Promise.all(Array.from({ length: kAtOnce }, worker));
  return messages;
}

describe(`${kUpgrades} upgrades with a counter stream each way`, () => {
  const server = useFixture('engineio', { shards: 2 });

  it('lose, double and reorder nothing', { timeout: 280_000 }, async (context) => {
    const messages = await upgradeMany(server);
    context.diagnostic(`${messages} messages each way`);
    assert.ok(messages >= kUpgrades * (kMessagesAfter + 1));
  });
});
