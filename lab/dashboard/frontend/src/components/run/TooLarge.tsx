import { ApiError, sentence } from "@/api/errors";
import { Confirm } from "@/components/Confirm";

/** Was something refused because it would not fit into the memory, and the server wants to hear a second word? */
export function isTooLarge(error: unknown): boolean {
  return error instanceof ApiError && error.field === "confirmed";
}

interface Props {
  opened: boolean;
  /** How much it takes, and how much there is. */
  children: string;
  safe?: string;
  busy: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before a training begins that will probably not fit. */
export function TooLarge({ children, safe = "Leave it", ...rest }: Props) {
  return (
    <Confirm {...rest} title="It will probably not fit" verb="Start it all the same" safe={safe} error={null}>
      {children} Started all the same, it fails, or brings the machine to a halt.
    </Confirm>
  );
}

/** The same, in the server's words. */
export function Refused({ error, ...rest }: Omit<Props, "opened" | "children"> & { error: unknown }) {
  const told = isTooLarge(error) ? sentence(error) : "";
  return (
    <TooLarge {...rest} opened={told !== ""}>
      {`${told.charAt(0).toUpperCase()}${told.slice(1)}.`}
    </TooLarge>
  );
}
