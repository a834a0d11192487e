import { NativeSelect } from "@mantine/core";
import type { ReactNode } from "react";
import type { Structure, Walk } from "@/api/decoder";
import { word } from "@/components/model/visible";
import { wiringOf, type Box, type BoxId } from "./boxes";
import classes from "./Decoder.module.css";
import { liveLine } from "./live";

interface Props {
  model: Structure;
  boxes: Partial<Record<BoxId, Box>>;
  /** The token's way; null: it is not known yet, or cannot be known. */
  walk: Walk | null;
  layer: number;
  onLayer: (layer: number) => void;
  open: BoxId | null;
  onOpen: (id: BoxId | null) => void;
  /** Id of the element that shows the open box. */
  panelId: string;
  /** The open box itself, where there is no room for it beside the diagram. */
  panel: ReactNode;
}

/** The decoder from below the tokens to the next one: boxes on the residual stream, and sublayers beside it. */
export function Diagram(props: Props) {
  const { model, boxes, walk, layer, onLayer } = props;
  const wiring = wiringOf(model);
  const at = walk?.tokens[walk.position];
  const best = walk?.candidates[0];
  const row = (id: BoxId) => boxes[id] && <BoxRow key={id} box={boxes[id]} {...props} />;
  const branch = (...ids: BoxId[]) => (
    <li>
      <ul className={classes.branch}>{ids.map(row)}</ul>
    </li>
  );
  // Before a sublayer the norm reads the stream; behind the sum it norms the stream itself.
  const inner: ReactNode =
    wiring === "post_norm" ? (
      <>
        {branch("attention")}
        {row("add1")}
        {row("norm1")}
        {branch("feed_forward")}
        {row("add2")}
        {row("norm2")}
      </>
    ) : wiring === "pre_norm" ? (
      <>
        {branch("norm1", "attention")}
        {row("add1")}
        {branch("norm2", "feed_forward")}
        {row("add2")}
      </>
    ) : (
      <>
        {row("block")}
        {branch("norm1", "attention", "norm2", "feed_forward")}
      </>
    );
  return (
    <ol className={classes.diagram} aria-label="The decoder, from the token to the next one">
      <li className={classes.row}>
        <div className={classes.end}>{at ? `token ${walk?.position}: “${word(at.text)}”` : "a token"}</div>
      </li>
      {row("token")}
      {row("position")}
      <li className={classes.layer}>
        <div className={classes.layerHead}>
          <NativeSelect
            size="xs"
            aria-label="Layer"
            value={String(layer)}
            onChange={(event) => onLayer(Number(event.currentTarget.value))}
            data={Array.from({ length: model.n_layers }, (_, index) => ({
              value: String(index),
              label: `Layer ${index}`,
            }))}
          />
          <span>{model.n_layers === 1 ? "the only one" : `of ${model.n_layers}, all built alike`}</span>
        </div>
        <ul>{inner}</ul>
      </li>
      {row("final_norm")}
      {row("head")}
      <li className={classes.row}>
        <div className={classes.end}>{best ? `next, most likely: “${word(best.text)}”` : "the next token"}</div>
      </li>
    </ol>
  );
}

function BoxRow({ box, walk, open, onOpen, panelId, panel }: Props & { box: Box }) {
  const expanded = open === box.id;
  const sum = box.id === "add1" || box.id === "add2";
  const live = walk && liveLine(box.id, walk);
  const words = (
    <>
      <span className={classes.title}>{box.title}</span>
      <span className={classes.kind}>{sum ? "" : box.kind}</span>
      {live && <span className={classes.live}>{live}</span>}
    </>
  );
  return (
    <li className={classes.row}>
      <button
        type="button"
        className={sum ? classes.sum : classes.box}
        data-testid={`box-${box.id}`}
        aria-expanded={expanded}
        aria-controls={expanded ? panelId : undefined}
        onClick={() => onOpen(expanded ? null : box.id)}
      >
        {sum ? (
          <>
            <span className={classes.plus} aria-hidden>
              +
            </span>
            <span className={classes.sumWords} style={{ display: "grid" }}>
              {words}
            </span>
          </>
        ) : (
          words
        )}
      </button>
      {expanded && panel && <div className={classes.inline}>{panel}</div>}
    </li>
  );
}
