import { expect, it } from "vitest";
import { tokenIn } from "./access";

it("finds the token in whatever is pasted", () => {
  expect(tokenIn("http://127.0.0.1:8000/?token=aB-_9")).toBe("aB-_9");
  expect(tokenIn("gpt-lab's dashboard: http://127.0.0.1:8000/runs?q=a&token=aB-_9#x\n")).toBe("aB-_9");
  expect(tokenIn(" token=aB-_9 ")).toBe("aB-_9");
  expect(tokenIn(" aB-_9\n")).toBe("aB-_9");
  expect(tokenIn("http://127.0.0.1:8000/")).toBe("");
  expect(tokenIn("no token at all")).toBe("");
});
