import { PageHead } from "@/shell/PageHead";

export default function Tokenizer() {
  return <PageHead title="Tokenizer" />;
}
