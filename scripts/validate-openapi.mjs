// Holds an OpenAPI document against the specification's own schema (OpenAPI 3.1) and resolves its references:
// cargo xtask openapi | node scripts/validate-openapi.mjs
import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";

const document = JSON.parse(readFileSync(0, "utf8"));
const validator = new Validator();
const { valid, errors } = await validator.validate(document);
if (!valid) {
  console.error(JSON.stringify(errors, null, 2));
  process.exit(1);
}
if (validator.version !== "3.1") {
  console.error(`the document is OpenAPI ${validator.version}, 3.1 is wanted`);
  process.exit(1);
}
// Throws on a reference that leads nowhere.
validator.resolveRefs();
const operations = Object.values(document.paths).flatMap((path) => Object.keys(path)).length;
console.log(`openapi: ${operations} operations, valid OpenAPI 3.1`);
