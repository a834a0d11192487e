"""The block of the first transformers, for the contrast. Vaswani et al. 2017, section 3.1,
https://arxiv.org/abs/1706.03762; GPT-1 had it, too.

The sum is normed, and not what a sublayer reads: the stream itself is rescaled twice a layer, and a gradient has to
come back through all of these norms. At the top they are large from the first step on, and without a long warmup a deep
model does not train (Xiong et al. 2020, https://arxiv.org/abs/2002.04745). Try it: ``model.block=post_norm`` with
``schedule.warmup_steps=0``.

Price: none; parameters, FLOPs and cache are those of the pre-norm block.
"""

from torch import Tensor

from lab.model import LayerCache, TransformerBlock


class PostNormBlock(TransformerBlock):
    """x = norm1(x + attention(x)), then x = norm2(x + feed_forward(x))."""

    def forward(self, x: Tensor, cache: LayerCache | None = None) -> Tensor:
        """``(batch, seq, emb_dim)`` to the same shape."""
        x = self.norm1(x + self.attention(x, cache))  # (B, T, C)
        return self.norm2(x + self.feed_forward(x))  # (B, T, C)
