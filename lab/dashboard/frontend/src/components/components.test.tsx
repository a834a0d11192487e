import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { readableOn, viridis } from "@/theme/palette";
import { csv } from "./csv";
import { differing, flat } from "./run/options";
import { TableView } from "./TableView";
import { Tokens } from "./Tokens";
import { duration } from "./words";

describe("Tokens", () => {
  it("is a row of buttons where a token can be chosen, and says line ends", () => {
    const onSelect = vi.fn();
    render(
      <Tokens
        label="text"
        domain={[0, 1]}
        tokens={[
          { text: "The", value: 0.2 },
          { text: "\n", value: 1, label: "line end" },
        ]}
        onSelect={onSelect}
      />,
    );
    fireEvent.click(screen.getByRole("button", { name: "line end" }));
    expect(onSelect).toHaveBeenCalledWith(1);
    expect(screen.getByRole("button", { name: "line end" }).textContent).toBe("⏎");
  });
});

describe("TableView", () => {
  it("shows a part of a long table, with both its ends", () => {
    const rows = Array.from({ length: 1000 }, (_, at) => [at]);
    render(
      <MantineProvider>
        <TableView caption="numbers" columns={["n"]} rows={rows} limit={50} />
      </MantineProvider>,
    );
    expect(screen.getAllByRole("row")).toHaveLength(51);
    expect(screen.getByText("999")).toBeTruthy();
  });
});

describe("what is written", () => {
  it("quotes a spreadsheet's cells", () => {
    expect(
      csv(
        ["a", "b"],
        [
          ["x,y", 1],
          ['say "hi"', null],
        ],
      ),
    ).toBe('a,b\r\n"x,y",1\r\n"say ""hi""",\r\n');
  });

  it("tells times", () => {
    expect([75, 3675, 90_000].map((seconds) => duration(seconds))).toEqual(["1:15", "1:01:15", "1 d 01:00"]);
    expect([0.2, 59.96, 3675.5, 90_000].map((seconds) => duration(seconds, 1))).toEqual([
      "0:00.2",
      "1:00.0",
      "1:01:15.5",
      "1 d 1:00:00.0",
    ]);
  });

  it("flattens options and finds the different ones", () => {
    const [one, other] = [
      flat({ optimizer: { _target_: "torch.optim.AdamW", lr: 1, betas: [0.9, 0.95] } }),
      flat({ optimizer: { _target_: "torch.optim.AdamW", lr: 2, betas: [0.9, 0.95] }, save: true, resume: "x" }),
    ];
    expect(one.optimizer).toBe("AdamW");
    expect(one["optimizer.betas"]).toBe("[0.9, 0.95]");
    expect(differing([one, other])).toEqual(["optimizer.lr", "save"]);
  });

  it("can be read on every shade of viridis", () => {
    const luminance = (hex: string) => {
      const [r = 0, g = 0, b = 0] = [1, 3, 5]
        .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    for (let share = 0; share <= 1; share += 0.01) {
      const colour = viridis(share);
      const [light, dark] = [luminance(colour), luminance(readableOn(colour))].sort((a, b) => b - a) as [
        number,
        number,
      ];
      expect((light + 0.05) / (dark + 0.05)).toBeGreaterThan(4.5);
    }
  });
});
