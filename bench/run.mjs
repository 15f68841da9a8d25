/**
 * `npm run bench`, or with names of rows `npm run bench -- W1 W2`: measures the built package and prints one table. Each
 * row runs in a process of its own, so that no other row has shaped what the engine compiled. Knows no row.
 */
// @ts-check
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import * as dense from "./dense.mjs";
import * as footprint from "./footprint.mjs";
import * as large from "./large.mjs";
import { HEADING, show } from "./report.mjs";
import * as small from "./small.mjs";

/** @type {Readonly<Record<string, import("./report.mjs").Row>>} */
const ROWS = { ...small, ...large, ...dense, ...footprint };
const ALONE = "--alone";

const given = process.argv.slice(2);
if (given[0] === ALONE) {
  const lines = await ROWS[String(given[1])]?.run();
  process.stdout.write(JSON.stringify(lines));
} else {
  const unknown = given.filter(name => !(name in ROWS));
  if (unknown.length > 0) {
    console.error(`no row ${unknown.join(", ")}; there are ${Object.keys(ROWS).join(", ")}`);
    process.exit(1);
  }
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}\n${HEADING}`);
  for (const [name, row] of Object.entries(ROWS)) {
    if (given.length > 0 && !given.includes(name)) continue;
    const { status, stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ALONE, name], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (status === 0) console.log(show(name, row, JSON.parse(stdout)));
    else process.exitCode = 1;
  }
}
