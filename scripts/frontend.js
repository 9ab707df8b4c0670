// Builds static/dist and static/icons from frontend/ and the npm packages; `--watch` keeps building.
//
// Every entry becomes one self-contained file under a fixed name: an import between hashed files would break under Django's manifest
// storage. The output is committed, so it must be the same bytes on every machine: no hashes, no times, no source maps.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import * as esbuild from "esbuild";

const watch = process.argv.includes("--watch");
const DIST = "static/dist";
const ICONS = "static/icons";
const FONTS = [
  "@fontsource-variable/inter/files/inter-{subset}-wght-normal.woff2",
  "@fontsource/jetbrains-mono/files/jetbrains-mono-{subset}-400-normal.woff2",
  "@fontsource/jetbrains-mono/files/jetbrains-mono-{subset}-600-normal.woff2",
];

function copyFonts() {
  for (const subset of ["latin", "latin-ext"]) {
    for (const pattern of FONTS) {
      const file = pattern.replace("{subset}", subset);
      cpSync(`node_modules/${file}`, `${DIST}/fonts/${basename(file)}`);
    }
  }
}

/** Copies the icons named in frontend/icons.txt (one a line, # starts a comment), as one line of SVG each. */
function copyIcons() {
  const names = readFileSync("frontend/icons.txt", "utf8").split("\n").map((line) => line.replace(/#.*/, "").trim()).filter(Boolean);
  for (const name of names) {
    const source = `node_modules/lucide-static/icons/${name}.svg`;
    if (!existsSync(source)) throw new Error(`frontend/icons.txt: Lucide has no icon "${name}".`);
    const svg = readFileSync(source, "utf8").replace(/<!--.*?-->/gs, "").replace(/\s+/g, " ").replaceAll("> <", "><").replaceAll(" >", ">");
    writeFileSync(`${ICONS}/${name}.svg`, `${svg.trim()}\n`);
  }
}

/** Gathers the licences of all that the built files contain: most ask to travel with the copies. */
function collectLicences() {
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const texts = [...Object.keys(dependencies), "daisyui", "tailwindcss"].sort().map((name) => {
    const { version, license, author } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
    const file = readdirSync(`node_modules/${name}`).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(`node_modules/${name}/${file}`, "utf8") : `Licensed under ${license} by ${author?.name ?? author}.`;
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  writeFileSync(`${DIST}/LICENSES.txt`, texts.join(`\n${"-".repeat(80)}\n\n`));
}

async function buildScripts() {
  const worklets = readdirSync("frontend/worklets").filter((name) => name.endsWith(".js")).sort();
  const options = {
    entryPoints: ["agent.js", "app.js", "call.js", "charts.js", "flow.js", "player.js", "yaml.js", ...worklets.map((name) => `worklets/${name}`)].map((name) => `frontend/${name}`),
    outbase: "frontend",
    outdir: DIST,
    bundle: true,
    minify: !watch,
    format: "iife",
    target: "es2022",
    legalComments: "linked",
    logLevel: watch ? "info" : "warning",
  };
  if (watch) await (await esbuild.context(options)).watch();
  else await esbuild.build(options);
}

function buildStyles() {
  const args = ["-i", "frontend/app.css", "-o", `${DIST}/app.css`, ...(watch ? ["--watch=always"] : ["--minify"])];
  return new Promise((resolve, reject) => {
    let log = "";
    const child = spawn("node_modules/.bin/tailwindcss", args, { stdio: ["ignore", watch ? "inherit" : "pipe", watch ? "inherit" : "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (log += data));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`tailwindcss failed.\n${log}`))));
  });
}

try {
  for (const directory of [DIST, ICONS]) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  }
  copyFonts();
  copyIcons();
  collectLicences();
  await Promise.all([buildScripts(), buildStyles()]);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
