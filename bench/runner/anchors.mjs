// anchors.mjs - is the limit one? A floor that is slow would flatter everything measured against it, so in the same run it
// has to show how far below Node it lies.
import { judgeRow, measureRow } from "./measure.mjs";
import { freePort, serverCommand, startServer } from "./processes.mjs";
import { anchors, LIMIT_IDLE_BYTES_MAX } from "./rows.mjs";
import { median, pairRatios } from "./statistics.mjs";

async function flushOf(settings) {
  const port = await freePort();
  const server = await startServer(serverCommand("limit", settings.programs, port), port);
  await server.stop();
  return /^flush (\w+)$/m.exec(server.output())?.[1];
}

// Takes the figures of rows that were measured anyway and measures limit and Node alone for the others.
export async function checkAnchors(rows, results, settings, note) {
  const check = { valid: true, anchors: [], flush: undefined };
  const add = (name, value, atMost) => {
    check.anchors.push({ name, value, atMost, good: value <= atMost });
    check.valid &&= value <= atMost;
  };
  try {
    check.flush = await flushOf(settings);
    for (const anchor of anchors) {
      const row = rows.find(({ id }) => id === anchor.row);
      let { reports } = results.find(({ id, error }) => id === anchor.row && !error) ?? {};
      if (!reports) {
        note(`anchor ${anchor.name} `);
        reports = await measureRow(row, ["limit", "node"], settings.anchorPairs, settings, () => note("."));
        note("\n");
      }
      const { values } = judgeRow(row, reports);
      add(`${anchor.name}, of Node`, pairRatios(values.limit, values.node).median, anchor.atMost);
      if (anchor.name === "connect") {
        add("idle bytes", median(reports.limit.map((report) => report.idle_bytes)), LIMIT_IDLE_BYTES_MAX);
      }
    }
  } catch (error) {
    Object.assign(check, { valid: false, error: error.message });
  }
  return check;
}

// What is left of a result when the limit does not count.
export function withoutLimitRatios(result) {
  return result.error ? result : { ...result, ratios: result.ratios.filter(({ against }) => against !== "limit") };
}
