// rows.mjs - the table of performance targets: who is measured in a row, by which scenario, against whom, and the bound.
//
// A contestant is {server, arguments?, load}: what to start and how to drive it; its key names it in `ratios` and in the
// results. `value` is the field of the generator's report that counts. `fresh` rows start a new server for every run: they
// measure growth from zero.

const HANDSHAKE_BYTES = 260;

const three = (...load) => ({
  tidewire: { server: "tidewire", load },
  limit: { server: "limit", load },
  node: { server: "node", load },
});
const withoutLimit = (tidewireArguments, nodeArguments, ...load) => ({
  tidewire: { server: "tidewire", arguments: tidewireArguments, load },
  node: { server: "node", arguments: nodeArguments, load },
});
const atMost = (against, bound) => ({ of: "tidewire", against, atMost: bound });
const bounds = (limit, node) => [atMost("limit", limit), atMost("node", node)];
const report = (against) => ({ of: "tidewire", against });

// Cost at the large end divided by cost at the small end, of tidewire and of the limit.
const growth = (small, large) => ({
  contestants: {
    tidewire: { server: "tidewire", load: small },
    tidewireLarge: { server: "tidewire", load: large },
    limit: { server: "limit", load: small },
    limitLarge: { server: "limit", load: large },
  },
  growth: true,
  ratios: [atMost("limit", 1.15)],
});

// One contract of the program with all guards, against the same without any and without a token: the same object of eight fields.
const configured = (file, ...load) => ({ server: "application", arguments: ["--config", file], load });
const guardedAndBare = ({ auth, membership, bare }, preset) => ({
  tidewire: configured(membership, preset, "--object", "--auth", auth),
  bare: configured(bare, preset, "--object"),
});
// What lies between the two, one guard more each time.
const guardByGuard = ({ auth, rights, rates, schema, bare }, preset) => ({
  identity: configured(bare, preset, "--object", "--auth", auth),
  rights: configured(rights, preset, "--object", "--auth", auth),
  rates: configured(rates, preset, "--object", "--auth", auth),
  schema: configured(schema, preset, "--object", "--auth", auth),
});

export function makeRows(tls, application) {
  const tlsArguments = ["--tls-cert", tls.certificate, "--tls-key", tls.key];
  const kilobyte = ["bcast1", "--payload", "1024"];
  return [
    { id: "P1", what: "echo1, event with ack", contestants: three("echo1"), ratios: bounds(1.15, 0.5) },
    { id: "P2", what: "echo16", contestants: three("echo16"), ratios: bounds(1.8, 0.07) },
    { id: "P3", what: "bcast1 to 1,000, per delivery", contestants: three("bcast1"), ratios: bounds(1.15, 0.6) },
    { id: "P4", what: "bcast8 to 1,000, per delivery", contestants: three("bcast8"), ratios: bounds(1.25, 0.18) },
    {
      id: "P5", what: "idle connection in two rooms", value: "idle_bytes", fresh: true,
      contestants: withoutLimit([], [], "connect", "--rooms", "2"),
      ratios: [atMost("node", 0.08)], bound: 700 + 1.1 * HANDSHAKE_BYTES,
    },
    { id: "P6", what: "connect, per connection", fresh: true, contestants: three("connect"), ratios: bounds(1.5, 0.2) },
    {
      id: "P7", what: "echo1 over long-polling",
      contestants: withoutLimit([], [], "polling"), ratios: [atMost("node", 0.35)],
    },
    {
      id: "P8", what: "bcast1 over two shards against one",
      contestants: {
        tidewire: { server: "tidewire", arguments: ["--shards", "2"], load: ["bcast1"] },
        oneShard: { server: "tidewire", arguments: ["--shards", "1"], load: ["bcast1"] },
      },
      ratios: [atMost("oneShard", 1.15)],
    },
    {
      id: "P9", what: "bcast1 of 1 KB JSON, deflated",
      contestants: {
        ...withoutLimit(["--deflate"], ["--deflate"], ...kilobyte, "--deflate"),
        uncompressed: { server: "tidewire", arguments: ["--deflate"], load: kilobyte },
      },
      ratios: [atMost("uncompressed", 1.1), atMost("node", 0.15)],
    },
    {
      id: "P10", what: "echo1 over TLS",
      contestants: withoutLimit(tlsArguments, tlsArguments, "echo1", "--tls"), ratios: [report("node")],
    },
    {
      id: "P10i", what: "idle TLS connection", value: "idle_bytes", fresh: true,
      contestants: withoutLimit(tlsArguments, tlsArguments, "connect", "--connections", "2000", "--tls"),
      ratios: [report("node")], bound: 17_000,
    },
    {
      id: "P11", what: "echo1 under a contract with guards",
      contestants: { ...guardedAndBare(application, "echo1"), fixture: { server: "tidewire", load: ["echo1", "--object"] } },
      ratios: [atMost("bare", 1.25), report("fixture")],
    },
    {
      id: "P11b", what: "the same in echo16",
      contestants: { ...guardedAndBare(application, "echo16"), ...guardByGuard(application, "echo16") },
      ratios: [report("bare")],
      steps: {
        identity: ["bare", "identity"], rights: ["identity", "rights"], rates: ["rights", "rates"], schema: ["rates", "schema"],
        membership: ["schema", "tidewire"],
      },
    },
    {
      id: "projects", what: "50 projects of 20, per delivery",
      contestants: {
        tidewire: configured(application.asItComes, "projects", "--auth", application.auth),
        node: { server: "projects", arguments: ["--secret-file", application.secretFile], load: ["projects", "--auth", application.auth] },
      },
      ratios: [report("node")],
    },
    {
      id: "P5b", what: "idle connection of a user, as it comes", value: "idle_bytes", fresh: true,
      contestants: {
        tidewire: configured(application.asItComes, "connect", "--auth", application.auth),
        node: { server: "projects", arguments: ["--secret-file", application.secretFile], load: ["connect", "--auth", application.auth] },
      },
      ratios: [atMost("node", 0.12)], bound: 1_200 + 1.1 * HANDSHAKE_BYTES,
    },
    {
      id: "P12", what: "growth from 100 to 18,000 connections",
      ...growth(["bcast1", "--connections", "100"], ["bcast1", "--connections", "18000"]),
    },
    {
      id: "P12r", what: "growth from 1 to 100,000 rooms",
      ...growth(["bcast1", "--rooms", "1", "--room-members", "2000"], ["bcast1", "--rooms", "100", "--room-members", "1"]),
    },
  ];
}

// What the limit must show beside Node, in the same run, to count as a limit.
export const anchors = [
  { row: "P1", name: "echo1", atMost: 0.5 },
  { row: "P2", name: "echo16", atMost: 0.05 },
  { row: "P3", name: "bcast1", atMost: 0.6 },
  { row: "P4", name: "bcast8", atMost: 0.17 },
  { row: "P6", name: "connect", atMost: 0.17 },
];
export const LIMIT_IDLE_BYTES_MAX = 100;

// Rows whose user-space instructions are counted, and how many messages make a difference well above the start-up.
export const countedRows = { P1: 20_000, P2: 60_000, P3: 50_000, P4: 100_000, P11b: 60_000 };
