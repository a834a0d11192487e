import { readFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, it } from "vitest";

it("has the types of the schema that lies beside it (else: npm run types)", async () => {
  const schema = readFileSync("openapi.json", "utf8");
  const types = COMMENT_HEADER + astToString(await openapiTS(schema));
  expect(readFileSync("src/api/schema.d.ts", "utf8")).toBe(types);
});
