"""The independent GPT-2."""

from torch import nn

from lab.model import GPTModel


def hugging_face_twin(ours: GPTModel) -> nn.Module:
    """A GPT2LMHeadModel with the weights of ``ours``, name by name."""
    from transformers import GPT2Config, GPT2LMHeadModel

    shape = ours.config
    theirs = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=shape.vocab_size,
            n_positions=shape.context_length,
            n_embd=shape.emb_dim,
            n_layer=shape.n_layers,
            n_head=shape.n_heads,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
        )
    )
    source = ours.state_dict()
    names = {"norm1": "ln_1", "norm2": "ln_2", "attention.qkv": "attn.c_attn", "attention.project": "attn.c_proj"}
    names |= {"feed_forward.expand": "mlp.c_fc", "feed_forward.project": "mlp.c_proj"}
    state = {
        "transformer.wte.weight": source["token_embedding.weight"],
        "transformer.wpe.weight": source["position_embedding.weight"],
        "transformer.ln_f.weight": source["final_norm.scale"],
        "transformer.ln_f.bias": source["final_norm.shift"],
        "lm_head.weight": source["head.weight"],
    }
    for layer in range(shape.n_layers):
        for our_name, their_name in names.items():
            ours_at, theirs_at = f"blocks.{layer}.{our_name}", f"transformer.h.{layer}.{their_name}"
            if "norm" in our_name:
                state[f"{theirs_at}.weight"], state[f"{theirs_at}.bias"] = (
                    source[f"{ours_at}.scale"],
                    source[f"{ours_at}.shift"],
                )
            else:  # their Conv1D keeps its matrix the other way round
                state[f"{theirs_at}.weight"] = source[f"{ours_at}.weight"].T
                state[f"{theirs_at}.bias"] = source[f"{ours_at}.bias"]
    theirs.load_state_dict(state)
    return theirs
