"""A linear-chain conditional random field: Lafferty, McCallum and Pereira (2001).

The score of a tag sequence is the sum of its emissions, of one transition weight per pair of
neighbouring tags, and of one weight each for its first and its last tag. Probabilities are taken
over the legal sequences only. Where a token's tag is not known, or only what it is not, the
likelihood of all sequences that agree with what is known is learned instead (Tsuboi and others,
2008).

Gradients are expected counts from forward-backward, not a graph of one node per token.
"""

from typing import Any, List, NamedTuple, Sequence, Tuple

import torch
from torch import nn

# Added to the score of what cannot be; finite, so that no gradient becomes NaN.
IMPOSSIBLE = -1e4
# The most padded rows for each row that is real: a text that is much longer than the others goes
# alone, and batches as they mostly come stay whole.
MAX_PADDING = 2.0
# The most pairs of tags that are looked at together, over all pairs of tokens.
PAIRS = 1 << 20


class Weights(NamedTuple):
    """The weights of one field over T tags, in one dtype.

    transitions (torch.Tensor): Shape (T, T): row i, column j weighs tag j behind tag i.
    starts (torch.Tensor): Shape (T,): weighs each tag as the first one.
    ends (torch.Tensor): Shape (T,): weighs each tag as the last one.
    """

    transitions: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor


class Expectations(NamedTuple):
    """What forward-backward gives for B sequences of at most L tokens.

    log_z (torch.Tensor): Log of the summed exponentiated scores; shape (B,).
    tags (torch.Tensor): Probability of each tag at each token, 0 in the padding; shape (B, L, T).
    weights (Weights): Expected number of uses of each weight, summed over the batch.
    """

    log_z: torch.Tensor
    tags: torch.Tensor
    weights: Weights


class LinearChainCRF(nn.Module):
    """Transition weights over tags, with the likelihood that trains them.

    n_tags (int): Number of tags.
    """

    def __init__(self, n_tags: int) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(n_tags, n_tags))
        self.starts = nn.Parameter(torch.zeros(n_tags))
        self.ends = nn.Parameter(torch.zeros(n_tags))

    def forward(
        self, emissions: torch.Tensor, lengths: torch.Tensor, allowed: torch.Tensor, legal: Weights
    ) -> torch.Tensor:
        """Return the negative log-likelihood of what is known, per sequence.

        emissions (torch.Tensor): Tag scores; float, shape (B, L, T), anything in the padding.
        lengths (torch.Tensor): Tokens per sequence, each at least 1; int64, shape (B,).
        allowed (torch.Tensor): Whether a tag agrees with what is known of the token; bool, shape
            (B, L, T). At least one legal sequence must agree.
        legal (Weights): Whether each transition, first and last tag is legal; bool tensors.
        RETURNS (torch.Tensor): Shape (B,), in nats.
        """
        weights = self.constrained(legal)
        return _NegativeLogLikelihood.apply(emissions, lengths, allowed, *weights)

    def total_loss(
        self, emissions: Sequence[torch.Tensor], allowed: Sequence[torch.Tensor], legal: Weights
    ) -> torch.Tensor:
        """Sum the negative log-likelihoods of sequences, those of like length padded together.

        emissions (Sequence[torch.Tensor]): Tag scores; float, shape (tokens, T), per sequence.
        allowed (Sequence[torch.Tensor]): As in `forward`; bool, the same shapes.
        RETURNS (torch.Tensor): Of no dimension, in nats.
        """
        total = emissions[0].new_zeros(())
        for group in group_lengths([len(rows) for rows in emissions]):
            scores = nn.utils.rnn.pad_sequence([emissions[i] for i in group], batch_first=True)
            known = nn.utils.rnn.pad_sequence(
                [allowed[i] for i in group], batch_first=True, padding_value=True
            )
            lengths = torch.tensor([len(emissions[i]) for i in group], device=scores.device)
            total = total + self(scores, lengths, known, legal).sum()
        return total

    def constrained(self, legal: Weights) -> Weights:
        """Return the weights with what is illegal made impossible."""
        own = Weights(self.transitions, self.starts, self.ends)
        return Weights(
            *(weight.masked_fill(~allowed, IMPOSSIBLE) for weight, allowed in zip(own, legal))
        )


def group_lengths(lengths: Sequence[int]) -> List[List[int]]:
    """Group sequences so that padding at most multiplies their rows by `MAX_PADDING`.

    RETURNS (List[List[int]]): Indices into `lengths`, in their order where they are one group.
    """
    groups: List[List[int]] = []
    longest = n_rows = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        n_rows += lengths[index]
        if not groups or (len(groups[-1]) + 1) * longest > MAX_PADDING * n_rows:
            groups.append([])
            longest = n_rows = lengths[index]
        groups[-1].append(index)
    return [sorted(group) for group in groups]


@torch.no_grad()
def expectations(emissions: torch.Tensor, lengths: torch.Tensor, weights: Weights) -> Expectations:
    """Run forward-backward over a padded batch; see `Expectations` and `LinearChainCRF.forward`."""
    inside = _is_inside(lengths, emissions.shape[1])
    alpha, beta, scales = _forward_backward(emissions, lengths, weights)
    last = alpha[torch.arange(len(lengths), device=lengths.device), lengths - 1]
    log_z = torch.logsumexp(last + weights.ends, dim=-1) + (scales * inside).sum(dim=1)
    tags = torch.softmax(alpha + beta, dim=-1) * inside[..., None]
    return Expectations(log_z, tags, _expected_uses(emissions, lengths, weights, alpha, beta, tags))


class _NegativeLogLikelihood(torch.autograd.Function):
    """log Z over all sequences minus log Z over those that agree with what is known."""

    @staticmethod
    def forward(
        ctx: Any,
        emissions: torch.Tensor,
        lengths: torch.Tensor,
        allowed: torch.Tensor,
        *weights: torch.Tensor,
    ) -> torch.Tensor:
        fixed = Weights(*weights)
        free = expectations(emissions, lengths, fixed)
        known = emissions.masked_fill(~allowed, IMPOSSIBLE)
        agreeing = expectations(known, lengths, fixed)
        uses = (left - right for left, right in zip(free.weights, agreeing.weights))
        ctx.save_for_backward(free.tags - agreeing.tags, *uses)
        return free.log_z - agreeing.log_z

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Tuple[Any, ...]:
        d_tags, *d_weights = ctx.saved_tensors
        (upstream,) = gradients
        # Uses are summed over the batch, which is right for a loss that sums or averages it.
        scale = upstream[0]
        if not torch.allclose(upstream, scale.expand_as(upstream)):
            raise ValueError("the CRF loss can be summed or averaged, not weighted by sequence")
        return (d_tags * scale, None, None, *(uses * scale for uses in d_weights))


def _forward_backward(
    emissions: torch.Tensor, lengths: torch.Tensor, weights: Weights
) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return log alpha (with the token's own emission), log beta (without) and alpha's log scales.

    Both recursions run side by side, the backward one over the sequences turned round. Each step is
    scaled to sum to 1, else the sums of a long text would outgrow the digits of a float32.
    """
    # Of each token, first its scores and then its state. A tensor for each step would keep the
    # memory between them from being used again.
    both = torch.stack([emissions, _turn(emissions, lengths)])
    # Row j: how each tag comes before tag j.
    arriving = torch.stack([weights.transitions.T, weights.transitions])[:, None]
    scales = emissions.new_empty(emissions.shape[:2])
    both[:, :, 0] += torch.stack([weights.starts, weights.ends])[:, None]
    for step in range(emissions.shape[1]):
        state = both[:, :, step]
        if step:
            before = both[:, :, step - 1, None]
            state += torch.logsumexp(before + arriving, dim=-1)
        scale = torch.logsumexp(state, dim=-1, keepdim=True)
        state -= scale
        scales[:, step] = scale[0, :, 0]
    alpha, turned_beta = both
    return alpha, _turn(turned_beta, lengths).sub_(emissions), scales


def _turn(rows: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Reverse each sequence within its length; the padding stays behind it."""
    positions = torch.arange(rows.shape[1], device=rows.device)[None]
    turned = torch.where(positions < lengths[:, None], lengths[:, None] - 1 - positions, positions)
    return rows.gather(1, turned[..., None].expand_as(rows))


def _expected_uses(
    emissions: torch.Tensor,
    lengths: torch.Tensor,
    weights: Weights,
    alpha: torch.Tensor,
    beta: torch.Tensor,
    tags: torch.Tensor,
) -> Weights:
    rows = torch.arange(len(lengths), device=lengths.device)
    last = tags[rows, lengths - 1]
    transitions = torch.zeros_like(weights.transitions)
    # P(i, j at t, t + 1) is alpha_t[i] + transition[i, j] + emission_t+1[j] + beta_t+1[j] - log Z,
    # exponentiated. Normalized at each pair anew, rounding in long sequences cancels out.
    has_next = _is_inside(lengths - 1, emissions.shape[1])
    left, right = alpha[has_next], (emissions + beta).roll(-1, dims=1)[has_next]
    n_pairs = max(PAIRS // transitions.numel(), 1)
    for a, b in zip(left.split(n_pairs), right.split(n_pairs)):
        pair = a[:, :, None] + weights.transitions + b[:, None, :]
        total = torch.logsumexp(pair.flatten(1), dim=1)
        transitions += pair.sub_(total[:, None, None]).exp_().sum(dim=0)
    return Weights(transitions, tags[:, 0].sum(dim=0), last.sum(dim=0))


def _is_inside(lengths: torch.Tensor, n_steps: int) -> torch.Tensor:
    return torch.arange(n_steps, device=lengths.device)[None] < lengths[:, None]
