// srs.js (npm) for benches/peers/measure: srs_js.cjs OPERATION PASSES < ADDRESSES; see there.
//
// It takes and gives local part and domain apart, and knows no forwarder; both are cut and joined here as a caller would.
"use strict";
const SRS = require("srs.js");
const fs = require("fs");

const [operation, passes] = process.argv.slice(2);
const srs = new SRS({ secret: "a secret for srs" });
const halves = (address) => {
  const at = address.lastIndexOf("@");
  return [address.slice(0, at), address.slice(at + 1)];
};
const ask = {
  forward: (address) => srs.rewrite(...halves(address)) + "@fwd.example.net",
  reverse: (address) => srs.reverse(halves(address)[0]).join("@"),
}[operation];
const addresses = fs.readFileSync(0, "utf8").trimEnd().split("\n");
for (let pass = 0; pass < Number(passes); pass++) for (const address of addresses) ask(address);
for (const address of addresses) console.log(ask(address));
