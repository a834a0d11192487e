import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useRef, useState } from "react";
import type { Order } from "@/api/generate";
import { ErrorNote } from "@/components/ErrorNote";
import { Computed } from "@/components/figures/Computed";
import { LOG_SHARES, logShare, percent } from "@/components/model/visible";
import { Tokens } from "@/components/Tokens";
import { Alternatives } from "./Alternatives";
import { brief } from "@/series/points";
import { Branches } from "./Branches";
import { Scale } from "@/components/model/Scale";
import classes from "./WriterPanel.module.css";
import type { Shape } from "./reshape";
import { branchOf, openness, type Branch, type Outcome } from "./story";
import type { Writer } from "./useWriter";

interface Props {
  title: string;
  writer: Writer;
  order: Order;
  shape: Shape;
}

const OUTCOMES: Record<Outcome, string> = {
  max_tokens: "as long as was asked for",
  stop: "ended at a stop word",
  end_of_text: "the model ended the text",
  stopped: "stopped",
  failed: "failed",
};

/** What one checkpoint writes: the text, shaded by how sure the model was, and the token that is looked at. */
export function WriterPanel({ title, writer, order, shape }: Props) {
  const branch = branchOf(writer.story);
  const [picked, setPicked] = useState<{ branch: number; at: number } | null>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const fixed = picked && picked.branch === branch?.id && picked.at < branch.written.length ? picked.at : null;
  const at = pointed !== null && branch && pointed < branch.written.length ? pointed : fixed;
  const token = at === null ? undefined : branch?.written[at];

  /** The token that the pointer or the focus is on. */
  const placeOf = (target: EventTarget) => {
    const button = (target as HTMLElement).closest("button");
    const place = button && box.current ? [...box.current.querySelectorAll("button")].indexOf(button) : -1;
    return place >= 0 ? place : null;
  };

  return (
    <Paper withBorder p="md" component="section" aria-label={title} data-testid="writer" style={{ minWidth: 0 }}>
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Title order={2}>{title}</Title>
          <Text size="sm" c="dimmed" role="status">
            {statusOf(branch, writer.writing)}
          </Text>
        </Group>
        {writer.error !== null && <ErrorNote error={writer.error} />}
        {!branch && !writer.error && <Text c="dimmed">Nothing yet: press Write.</Text>}
        {branch && (
          <>
            {branch.cropped > 0 && (
              <Text size="sm" c="dimmed">
                The first {branch.cropped} tokens of the prompt do not fit into the model&apos;s context: it does not
                see them.
              </Text>
            )}
            <div
              ref={box}
              className={classes.text}
              onMouseOver={(event) => setPointed(placeOf(event.target))}
              onMouseLeave={() => setPointed(null)}
              onFocus={(event) => setPointed(placeOf(event.target))}
              onBlur={() => setPointed(null)}
            >
              <Text
                component="span"
                c="dimmed"
                style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}
                ff="monospace"
                aria-label="Prompt"
              >
                {branch.prompt.map(({ text }) => text).join("")}
              </Text>
              <Tokens
                label="What the model wrote"
                domain={LOG_SHARES}
                tokens={branch.written.map((one) => ({
                  text: one.text,
                  value: logShare(one.probability),
                  label: labelOf(one),
                }))}
                selected={fixed}
                onSelect={(place) => setPicked(place === fixed ? null : { branch: branch.id, at: place })}
              />
            </div>
            <Scale low="0.01% or less" high="100%" />
            {branch.drawable != null && (
              <Text size="sm" c="dimmed" data-testid="drawable">
                Drawn from the {branch.drawable.toLocaleString("en")} tokens that its training text has; the
                probabilities are those among all tokens.
              </Text>
            )}
            <Openness branch={branch} />
            <Branches story={writer.story} onShow={writer.show} />
            {token && at !== null ? (
              <Alternatives
                token={token}
                at={at}
                shape={shape}
                onChoose={(id) => {
                  writer.branch(at, id, order);
                  setPicked(null);
                  setPointed(null);
                }}
              />
            ) : (
              branch.written.length > 0 && (
                <Text size="sm" c="dimmed">
                  Point at a token to see how sure the model was; choose it to try another one in its place.
                </Text>
              )
            )}
          </>
        )}
      </Stack>
    </Paper>
  );
}

function statusOf(branch: Branch | null, writing: boolean): string {
  if (!branch) return "";
  const count = `${branch.written.length} tokens`;
  return branch.outcome === null ? (writing ? `${count}, writing…` : count) : `${count}, ${OUTCOMES[branch.outcome]}`;
}

/** How freely the model drew, once it has ended. */
function Openness({ branch }: { branch: Branch | null }) {
  const among = branch && branch.outcome !== null ? openness(branch.written) : null;
  if (among === null) return null;
  return (
    <Text size="sm" c="dimmed" component="div" data-testid="openness">
      <Computed of="playground.openness">each choice as open as among {brief(among)} equally likely tokens</Computed>
    </Text>
  );
}

function labelOf({ text, probability, rank, chosen }: Branch["written"][number]): string {
  return `“${text}”, ${probability === null ? "no probability" : percent(probability)}, rank ${rank + 1}${chosen ? ", chosen by you" : ""}`;
}
