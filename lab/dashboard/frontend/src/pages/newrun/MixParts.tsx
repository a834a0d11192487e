import { Group, MultiSelect, TextInput } from "@mantine/core";
import type { Corpus } from "@/api/types";
import type { Choices } from "./draft";
import { listOf } from "./values";

interface Props {
  corpora: Corpus[];
  choices: Choices;
  onChoose: (choices: Record<string, string | null>) => void;
}

/** The parts of a mixture, and how much of each there is to be. */
export function MixParts({ corpora, choices, onChoose }: Props) {
  const parts = listOf(choices["corpus.parts"] ?? "[]").map(String);
  // A dataset of the hub cannot be a part; a name with a comma in it would be two.
  const possible = corpora.filter((corpus) => corpus.source !== "hf" && !placeOf(corpus).includes(","));
  return (
    <Group align="flex-end" gap="sm">
      <MultiSelect
        label="Parts"
        data={possible.map((corpus) => ({ value: placeOf(corpus), label: corpus.name }))}
        value={parts}
        onChange={(chosen) => onChoose({ "corpus.parts": `[${chosen.join(", ")}]`, "corpus.weights": null })}
        style={{ flex: "2 1 240px" }}
        data-testid="mix-parts"
      />
      <TextInput
        label="Shares"
        placeholder="as long as each is"
        value={(choices["corpus.weights"] ?? "").replace(/^\[|\]$/g, "")}
        onChange={({ currentTarget: { value } }) =>
          onChoose({ "corpus.weights": value.trim() === "" ? null : `[${value}]` })
        }
        style={{ flex: "1 1 140px" }}
      />
    </Group>
  );
}

/** What a part is called: a corpus by its name, an uploaded text by its file. */
function placeOf({ name, overrides }: Corpus): string {
  return typeof overrides["corpus.path"] === "string" ? overrides["corpus.path"] : name;
}
