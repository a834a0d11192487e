import { PageHead } from "@/shell/PageHead";

export default function Checkpoints() {
  return <PageHead title="Checkpoints" />;
}
