// measure.mjs - the rounds of one row: every contestant once per round, in turn (ABAB), never two at a time.
import { freePort, runLoad, serverCommand, startServer } from "./processes.mjs";
import { median, pairRatios } from "./statistics.mjs";

const WARMING_SECONDS_MIN = 0.5; // once per row and server: Node.js compiles while it runs
const PAUSE_MS = 100; // the server closes the last run's connections before the next contestant is measured
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

async function start(contestant, settings) {
  const port = await freePort();
  return startServer(serverCommand(contestant.server, settings.programs, port, contestant.arguments), port);
}

async function measureOnce(server, contestant, settings) {
  const timing = ["--warmup", String(settings.warmup), "--seconds", String(settings.seconds)];
  const report = await runLoad(settings.programs.load, server, [...contestant.load, ...timing], settings.deadline);
  await pause();
  return report;
}

// Contestants with the same server and arguments share one process, as the two ends of a growth row should.
const processKey = (contestant) => [contestant.server, ...(contestant.arguments ?? [])].join(" ");

// The reports of every contestant, by key, one per round. `progress` is called after each round.
export async function measureRow(row, keys, pairs, settings, progress) {
  const reports = Object.fromEntries(keys.map((key) => [key, []]));
  const servers = new Map();
  let name;
  const serverOf = async (contestant) => {
    const key = processKey(contestant);
    if (!servers.has(key)) servers.set(key, await start(contestant, settings));
    return servers.get(key);
  };
  try {
    const warming = { ...settings, warmup: 0, seconds: Math.max(settings.seconds, WARMING_SECONDS_MIN) };
    for (name of row.fresh ? [] : keys) {
      await measureOnce(await serverOf(row.contestants[name]), row.contestants[name], warming);
    }
    for (let round = 0; round < pairs; ++round) {
      for (name of keys) {
        const contestant = row.contestants[name];
        const server = await serverOf(contestant);
        reports[name].push(await measureOnce(server, contestant, settings));
        if (!row.fresh) continue;
        servers.delete(processKey(contestant));
        await server.stop();
      }
      progress(round + 1);
    }
  } catch (error) {
    throw new Error(`${name}: ${error.message}`);
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
  return reports;
}

// Medians, pair ratios and verdict of a row from its reports.
export function judgeRow(row, reports) {
  const field = row.value ?? "cpu_us";
  const values = mapValues(reports, (list) => list.map((report) => report[field]));
  const medians = mapValues(values, median);
  const users = mapValues(reports, (list) => median(list.map((report) => report.user_us)));
  const series = row.growth
    ? { tidewire: divide(values.tidewireLarge, values.tidewire), limit: divide(values.limitLarge, values.limit) }
    : values;
  const ratios = row.ratios
    .filter(({ of, against }) => series[of] && series[against])
    .map((ratio) => ({ ...ratio, ...pairRatios(series[ratio.of], series[ratio.against]) }));
  for (const ratio of ratios) if (ratio.atMost) ratio.reached = ratio.median <= ratio.atMost;
  // Nanoseconds that each step adds, from the differences within a round.
  const steps = mapValues(row.steps ?? {}, ([without, having]) => {
    return median(values[having].map((value, round) => (value - values[without][round]) * 1000));
  });
  const boundReached = row.bound === undefined || medians.tidewire <= row.bound;
  return { id: row.id, what: row.what, unit: field, medians, users, values, ratios, steps, bound: row.bound, boundReached };
}

const mapValues = (object, change) => {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
};
const divide = (numerators, denominators) => numerators?.map((value, i) => value / denominators[i]);
