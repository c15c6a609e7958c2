"""Arguments of the library: of a wrong type or shape, ragged, masked, not finite.

Where an argument is of a type that its annotation rules out, Python's own TypeError will do; an
AttributeError from deep inside, or a result, will not.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .case import Case
from .world import mask_of

MASK = mask_of(1)
RAGGED = [[1, 2], [3]]
WRONG = (TypeError, ValueError)


class _Hostile:
    """An object whose conversion to an array, to text and to a number fails."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("no array")

    def __fspath__(self) -> str:
        raise RuntimeError("no path")


def _masked() -> Any:
    return np.ma.masked_array(MASK, MASK > 0)


# what stands for a map or a mask -> a value that cannot
ARRAYS: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "number": lambda: 5,
    "text": lambda: "map.png",
    "bytes": lambda: b"\0" * 1920,
    "ragged": lambda: RAGGED,
    "list-of-text": lambda: [["a", "b"], ["c", "d"]],
    "dictionary": lambda: {"map": MASK},
    "generator": lambda: (row for row in MASK),
    "objects": lambda: MASK.astype(object),
    "complex": lambda: MASK.astype(complex) / 255,
    "masked": _masked,
    "masked-nothing": lambda: np.ma.masked_array(np.where(MASK > 0, np.nan, 0.5), MASK > 0),
    "dates": lambda: np.zeros((40, 48), "datetime64[s]"),
    "records": lambda: np.zeros((40, 48), [("a", "u1")]),
    "texts": lambda: np.full((40, 48), "x"),
    "16-bit": lambda: MASK.astype(np.uint16) * 257,
    "64-bit": lambda: MASK.astype(np.int64),
    "signed": lambda: (MASK // 2).astype(np.int8),
    "not-a-number": lambda: np.where(MASK > 0, np.nan, 0.5),
    "infinite": lambda: np.where(MASK > 0, np.inf, 0.5),
    "above-one": lambda: MASK.astype(float),
    "negative": lambda: MASK / -255,
    "colour": lambda: np.dstack([MASK] * 3),
    "stacked": lambda: MASK[None],
    "flat": lambda: MASK.ravel(),
    "one-value": lambda: np.uint8(7),
    "no-pixels": lambda: MASK[:0],
    "other-size": lambda: MASK[:-1],
    "turned": lambda: MASK.T,
    "giant": lambda: np.broadcast_to(np.uint8(7), (1, 89_478_485)),
    "giant-view": lambda: np.broadcast_to(np.uint8(7), (2_000_000, 2_000_000)),
    "tensor-on-meta": lambda: _meta(),
}
# fit for the one but not for the other
NOT_FOR_MASKS = {"not-a-number", "infinite", "above-one", "negative"}  # refused by their type alone
NAMES: dict[str, Any] = {
    "tuple": ("a", 1),
    "list": ["a"],
    "bytes": b"a",
    "array": MASK,
}


def _meta() -> Any:
    import torch

    return torch.empty(40, 48, device="meta")


def _update(value: Callable[[], Any], place: str) -> Callable[[], None]:
    def call() -> None:
        import sodbench as sb

        scorer = sb.Scorer()
        pair = (value(), MASK) if place == "map" else (MASK, value())
        try:
            scorer.update(*pair, name="the-pair")
        except Exception:
            assert repr(scorer).endswith("images=0)"), "a refused pair was added"
            raise

    return call


def _named(name: Any) -> Callable[[], None]:
    def call() -> None:
        import sodbench as sb

        scorer = sb.Scorer()
        scorer.update(MASK, MASK, name=name)
        scorer.result()

    return call


def _api(text: str) -> Callable[[], None]:
    """A call of the library, as a line of code with `sb`, `np`, `torch` and the good values in scope."""

    def call() -> None:
        import torch
        from PIL import Image

        import sodbench as sb
        from sodbench.losses import BoundaryAwareLoss, HybridLoss
        from sodbench.models import create
        from sodbench.torch_metrics import SaliencyMetrics

        runs = sb.load_runs("reports")
        scope = {
            "sb": sb,
            "np": np,
            "torch": torch,
            "Image": Image,
            "HybridLoss": HybridLoss,
            "create": create,
            "BoundaryAwareLoss": BoundaryAwareLoss,
            "SaliencyMetrics": SaliencyMetrics,
            "MASK": MASK,
            "RAGGED": RAGGED,
            "runs": runs,
            "dss": next(run for run in runs if run.name == "DSS"),
            "Hostile": _Hostile(),
            "masked": _masked(),
            "x": torch.zeros(2, 1, 16, 16),
            "net": sb.load_baseline("net.py:create").load("net.pth"),
        }
        exec(text, scope)  # the text is one of the lines below

    return call


# a line of code -> what the error says
CALLS: dict[str, tuple[str, str]] = {
    "scorer-protocol-none": ("sb.Scorer(None)", "protocol"),
    "scorer-protocol-number": ("sb.Scorer(5)", "protocol"),
    "scorer-protocol-list": ("sb.Scorer(['raw'])", "protocol"),
    "scorer-protocol-path": ("sb.Scorer('no/such.toml')", "no/such.toml"),
    "scorer-metrics-number": ("sb.Scorer(metrics=5)", "metric"),
    "scorer-metrics-none-inside": ("sb.Scorer(metrics=[None])", "metric"),
    "scorer-metrics-empty": ("sb.Scorer(metrics=[]).update(MASK, MASK)", "metric"),
    "scorer-metrics-nested": ("sb.Scorer(metrics=[['MAE']])", "metric"),
    "scorer-result-of-nothing": ("sb.Scorer().result()", "nothing to score"),
    "scorer-name-twice": (
        "s = sb.Scorer(); s.update(MASK, MASK, name='a'); s.update(MASK, MASK, name='a')",
        "a: name",
    ),
    "scorer-merge-other-protocol": ("sb.Scorer().merge(sb.Scorer('raw'))", "different protocols"),
    "scorer-merge-none": ("sb.Scorer().merge(None)", "merge|Scorer"),
    "scorer-merge-number": ("sb.Scorer().merge(5)", "merge|Scorer"),
    "scorer-merge-itself": (
        "s = sb.Scorer(); s.update(MASK, MASK, name='a'); s.merge(s)",
        "name given twice",
    ),
    "score-swapped": (
        "sb.score(MASK, np.linspace(0, 1, MASK.size).reshape(MASK.shape))",
        "mask of type float64",
    ),
    "score-paths": ("sb.score('own/a.png', 'masks/a.png')", "map"),
    "score-pictures": ("sb.score(Image.fromarray(np.dstack([MASK] * 3)), MASK)", "colour"),
    "protocol-none": ("sb.load_protocol(None)", "protocol"),
    "protocol-number": ("sb.load_protocol(5)", "protocol"),
    "protocol-bytes": ("sb.load_protocol(b'raw')", "protocol"),
    "protocol-list": ("sb.load_protocol(['raw'])", "protocol"),
    "protocol-folder": ("sb.load_protocol('own.toml')", "own.toml"),
    "protocol-beta": ("sb.Protocol(name='p', f_beta2=-1)", "f_beta2"),
    "protocol-alpha": ("sb.Protocol(name='p', s_alpha=99)", "s_alpha"),
    "protocol-threshold-nan": ("sb.Protocol(name='p', mask_threshold=float('nan'))", "mask_threshold"),
    "protocol-threshold-none": ("sb.Protocol(name='p', mask_threshold=None)", "mask_threshold"),
    "protocol-empty-name": ("sb.Protocol(name='')", "name"),
    "protocol-name-at": ("sb.Protocol(name='a@b')", "name"),
    "protocol-name-number": ("sb.Protocol(name=5)", "name"),
    "baseline-none": ("sb.load_baseline(None)", "baseline"),
    "baseline-number": ("sb.load_baseline(5)", "baseline"),
    "baseline-empty": ("sb.load_baseline('')", "baseline"),
    "baseline-nul": ("sb.load_baseline('a\\0b.toml')", "a|baseline"),
    "baseline-weights-number": ("sb.load_baseline('net.py:create').load(5)", "weights"),
    "baseline-device": ("sb.load_baseline('net.py:create').load('net.pth', 'gpu')", "gpu|device"),
    "create-unknown": ("create('resnet')", "unknown network 'resnet'"),
    "create-none": ("create(None)", "network|name"),
    "create-number": ("create(5)", "network|name"),
    "create-option": ("create('basnet', wide=5)", "wide"),
    "create-option-text": ("create('basnet', width='x')", "basnet|width"),
    "create-option-negative": ("create('basnet', width=-4)", "basnet|width"),
    "create-option-nan": ("create('basnet', drop=float('nan'))", "basnet|drop"),
    "create-library": ("create('os:getcwd')", "os:getcwd|standard library"),
    "create-no-module": ("create('json:loads', s='{}')", "json:loads|Module|standard library"),
    "evaluate-baseline-none": ("sb.evaluate(None, 'sod')", "baseline"),
    "evaluate-set-none": ("sb.evaluate(net, None)", "data set"),
    "evaluate-set-number": ("sb.evaluate(net, 5)", "data set"),
    "evaluate-set-list": ("sb.evaluate(net, ['sod'])", "data set"),
    "evaluate-limit-text": ("sb.evaluate(net, 'sod', limit='1')", "limit"),
    "evaluate-limit-fraction": ("sb.evaluate(net, 'sod', limit=1.5)", "limit"),
    "evaluate-limit-nan": ("sb.evaluate(net, 'sod', limit=float('nan'))", "limit"),
    "evaluate-batch-text": ("sb.evaluate(net, 'sod', batch='4')", "batch"),
    "evaluate-batch-fraction": ("sb.evaluate(net, 'sod', batch=1.5)", "batch"),
    "evaluate-workers-fraction": ("sb.evaluate(net, 'sod', workers=1.5)", "workers"),
    "evaluate-protocols-number": ("sb.evaluate(net, 'sod', protocols=5)", "protocol"),
    "evaluate-protocols-empty": ("sb.evaluate(net, 'sod', protocols=[])", "no protocol"),
    "evaluate-metrics-empty": ("sb.evaluate(net, 'sod', metrics=[])", "metric"),
    "evaluate-precision": ("sb.evaluate(net, 'sod', precision='fp8')", "precision|fp8"),
    "evaluate-name-number": ("sb.evaluate(net, 'sod', name=5)", "name"),
    "evaluate-weights-twice": ("sb.evaluate(net, 'sod', weights='net.pth')", "weights"),
    "evaluate-reports-number": ("sb.evaluate(net, 'sod', reports=5)", "reports"),
    "evaluate-all-number": ("sb.evaluate_all(net, [5])", "data set"),
    "score-maps-none": ("sb.score_maps(None, 'sod')", "maps|folder"),
    "score-maps-number": ("sb.score_maps(5, 'sod')", "maps|folder"),
    "score-maps-bytes": ("sb.score_maps(b'maps/DSS', 'sod')", "maps|folder"),
    "score-maps-nul": ("sb.score_maps('a\\0b', 'sod')", "maps|folder|path"),
    "score-maps-name-tuple": ("sb.score_maps('maps/DSS', 'sod', name=('a', 1))", "name"),
    "score-maps-set-number": ("sb.score_maps('maps/DSS', 5)", "data set"),
    "score-maps-nothing": ("sb.score_maps('maps/DSS')", "--dataset|data set"),
    "open-folders-none": ("sb.open_folders('n', None)", "masks"),
    "open-folders-name-none": ("sb.open_folders(None, 'masks')", "name"),
    "open-folders-name-empty": ("sb.open_folders('', 'masks')", "name"),
    "open-folders-name-tuple": ("sb.open_folders(('a',), 'masks')", "name"),
    "open-dataset-number": ("sb.open_dataset(5)", "data set"),
    "open-dataset-none": ("sb.open_dataset(None)", "data set"),
    "dataset-unknown-sample": ("sb.open_folders('n', 'masks')['z']", "no sample is named 'z'"),
    "sample-without-image": (
        "sb.open_folders('n', 'masks')['a'].read_image()",
        "a: .*without images|no image",
    ),
    "predict-none": ("sb.predict(net, None)", "image|picture"),
    "predict-number": ("sb.predict(net, 5)", "image|picture"),
    "predict-list-of-none": ("sb.predict(net, [None])", "image 0"),
    "predict-ragged": ("sb.predict(net, RAGGED)", "image 0"),
    "predict-floats": ("sb.predict(net, MASK / 255.0)", "image 0.*float64"),
    "predict-16-bit": ("sb.predict(net, MASK.astype('uint16'))", "image 0.*uint16"),
    "predict-two-channels": ("sb.predict(net, np.dstack([MASK, MASK]))", "image 0.*2\\)"),
    "predict-five-dimensions": ("sb.predict(net, np.zeros((1, 1, 4, 4, 3), 'uint8'))", "image 0"),
    "predict-no-pixels": ("sb.predict(net, MASK[:0])", "image 0"),
    "predict-masked": ("sb.predict(net, masked)", "image 0|mask"),
    "predict-no-file": ("sb.predict(net, ['images/a.png', 'images/z.png'])", "images/z.png"),
    "predict-folder": ("sb.predict(net, 'images')", "images"),
    "predict-bytes": ("sb.predict(net, b'images/a.png')", "image|picture"),
    "predict-closed-picture": ("p = Image.open('images/a.png'); p.close(); sb.predict(net, p)", "image 0"),
    "predict-bare-network": ("sb.predict(torch.nn.Identity(), MASK)", "Identity.*baseline"),
    "predict-wrong-baseline": ("sb.predict(5, MASK)", "baseline|network"),
    "predict-none-baseline": ("sb.predict(None, MASK)", "baseline|network"),
    "predict-batch-fraction": ("sb.predict(net, MASK, batch=1.5)", "batch"),
    "predict-device-number": ("sb.predict(net, MASK, device=5)", "device"),
    "predict-precision": ("sb.predict(net, MASK, precision='half')", "precision|half"),
    "predict-hostile": ("sb.predict(net, [Hostile])", "image 0"),
    "compare-nothing": ("sb.compare(dss, None)", "run|compare"),
    "compare-texts": ("sb.compare('DSS', 'Other')", "run|compare"),
    "compare-itself": ("sb.compare(dss, dss)", "DSS|compare"),
    "compare-resamples-text": ("sb.compare(*runs[:2], resamples='many')", "resamples"),
    "compare-resamples-none": ("sb.compare(*runs[:2], resamples=0)", "resamples"),
    "compare-level": ("sb.compare(*runs[:2], level=95)", "level"),
    "compare-level-nan": ("sb.compare(*runs[:2], level=float('nan'))", "level"),
    "compare-seed": ("sb.compare(*runs[:2], seed=-1)", "seed"),
    "compare-protocol": ("sb.compare(*runs[:2], protocol=5)", "protocol"),
    "leaderboard-none": ("sb.leaderboard(None)", "run"),
    "leaderboard-number": ("sb.leaderboard(5)", "run"),
    "leaderboard-empty": ("sb.leaderboard([])", "no runs|nothing"),
    "leaderboard-texts": ("sb.leaderboard(['DSS'])", "run"),
    "leaderboard-nowhere": ("sb.leaderboard('nowhere')", "nowhere|no runs"),
    "leaderboard-digits": ("sb.leaderboard(runs, digits=-1)", "digits"),
    "leaderboard-digits-text": ("sb.leaderboard(runs, digits='3')", "digits"),
    "leaderboard-metrics": ("sb.leaderboard(runs, metrics=5)", "metric"),
    "leaderboard-published": ("sb.leaderboard(runs, published=['nobody2020'])", "nobody2020"),
    "report-empty": ("sb.report([], 'r')", "no runs|nothing"),
    "report-number": ("sb.report(5, 'r')", "run"),
    "report-format": ("sb.report(runs, 'r', formats=['pdf'])", "pdf"),
    "report-formats-number": ("sb.report(runs, 'r', formats=5)", "format"),
    "report-figure": ("sb.report(runs, 'r', figures=['pie'])", "pie"),
    "report-layout": ("sb.report(runs, 'r', layout='broad')", "layout 'broad'.*long, wide"),
    "report-span": (
        "sb.report(runs, 'r', formats=['latex'], layout='wide', span=3)",
        "span is 3, expected at most 2",
    ),
    "report-span-text": (
        "sb.report(runs, 'r', layout='wide', span='2')",
        "span is '2', expected a whole number",
    ),
    "report-group-by": ("sb.report(runs, 'r', layout='wide', group_by='venue')", "grouping"),
    "report-gallery": ("sb.report(runs, 'r', formats=['html'], gallery=-1)", "gallery"),
    "load-runs-number": ("sb.load_runs(5)", "reports|folder"),
    "load-runs-none": ("sb.load_runs(None)", "reports|folder"),
    "load-runs-nowhere": ("sb.load_runs('nowhere')", "nowhere"),
    "rescore-none": ("sb.rescore(None)", "run"),
    "rescore-text": ("sb.rescore('DSS')", "run"),
    "rescore-maps": ("sb.rescore(dss, maps='nowhere')", "nowhere"),
    "reproduce-number": ("sb.reproduce(5)", "record"),
    "reproduce-none": ("sb.reproduce(None)", "record"),
    "reproduce-tolerance": ("sb.reproduce('reports/runs/DSS/sod', tolerance=-1)", "tolerance"),
    "reproduce-tolerance-text": ("sb.reproduce('reports/runs/DSS/sod', tolerance='x')", "tolerance"),
    "train-none": ("sb.train(None)", "baseline"),
    "train-number": ("sb.train(5)", "baseline"),
    "train-settings-number": ("sb.train('net.py:create', settings=5)", "settings"),
    "train-settings-list": ("sb.train('net.py:create', settings=['batch=1'])", "settings"),
    "train-workers-text": ("sb.train('net.py:create', workers='2')", "workers"),
    "train-sets-number": ("sb.train('net.py:create', datasets=5)", "dataset"),
    "loss-terms-number": ("HybridLoss(5)", "term"),
    "loss-terms-unknown": ("HybridLoss(('bce', 'dice'))", "dice"),
    "loss-terms-empty": ("HybridLoss(())", "at least one term"),
    "loss-terms-text": ("HybridLoss('bce')", "term"),
    "loss-padding": ("HybridLoss(ssim_padding='reflect')", "ssim_padding"),
    "loss-smooth-text": ("HybridLoss(smooth='x')", "smooth"),
    "loss-smooth-nan": ("HybridLoss(smooth=float('nan'))", "smooth"),
    "loss-smooth-negative": ("HybridLoss(smooth=-1.0)", "smooth"),
    "loss-shapes": ("HybridLoss()(x, x[:, :, :8])", "shape"),
    "loss-channels": ("HybridLoss()(x.repeat(1, 3, 1, 1), x.repeat(1, 3, 1, 1))", "shape"),
    "loss-flat": ("HybridLoss()(x[0, 0], x[0, 0])", "shape"),
    "loss-nothing": ("HybridLoss()([], x)", "no output"),
    "loss-none": ("HybridLoss()(None, x)", "output|tensor"),
    "loss-target-none": ("HybridLoss()(x, None)", "target|tensor"),
    "loss-arrays": ("HybridLoss()(np.zeros((2, 1, 16, 16)), x)", "output|tensor"),
    "loss-small-for-window": ("HybridLoss(ssim_padding='valid')(x[..., :8, :8], x[..., :8, :8])", "window"),
    "loss-complex": ("HybridLoss()(x.to(torch.complex64), x)", "complex|real"),
    "loss-no-images": ("HybridLoss()(x[:0], x[:0])", "no image|shape|empty"),
    "boundary-loss-shapes": ("BoundaryAwareLoss()(x, x[:, :, :8])", "shape"),
    "boundary-loss-none": ("BoundaryAwareLoss()(None, x)", "output|tensor"),
    "loop-logits": ("SaliencyMetrics().update(x - 5, x)", r"values in -5\.\.-5, as of logits.*torch.sigmoid"),
    "loop-levels": ("SaliencyMetrics().update(x + 255, x)", "in 255..255; expected 0..1: .*by 255"),
    "loop-nan": ("SaliencyMetrics().update(x * float('nan'), x)", "256 NaN"),
    "loop-whole-numbers": ("SaliencyMetrics().update(x.int(), x)", "probabilities of type int32"),
    "loop-colour": ("SaliencyMetrics().update(x.repeat(1, 3, 1, 1), x)", "shape 2 x 3 x 16 x 16"),
    "loop-flat": ("SaliencyMetrics().update(x[0, 0], x[0, 0])", "shape 16 x 16; expected N x 1 x H x W"),
    "loop-arrays": ("SaliencyMetrics().update(MASK / 255, MASK)", "of type ndarray; expected a tensor"),
    "loop-none": ("SaliencyMetrics().update(None, x)", "probabilities of type NoneType"),
    "loop-no-pixels": ("SaliencyMetrics().update(x[..., :0], x[..., :0])", "without pixels"),
    "loop-other-size": ("SaliencyMetrics().update(x[..., 1:], x)", "map is 16 x 15, mask is 16 x 16"),
    "loop-fewer-masks": ("SaliencyMetrics().update(x, x[:1])", "masks: 1 for 2 images"),
    "loop-soft-masks": (
        "SaliencyMetrics().update(x, x + 0.5)",
        "image 0 .*mask of type float32.*other than 0",
    ),
    "loop-labels": ("SaliencyMetrics().update(x, x.to(torch.uint8) + 7)", "mask with values in 0..7"),
    "loop-names": ("SaliencyMetrics().update(x, x, 'ab')", "names of type str"),
    "loop-few-names": ("SaliencyMetrics().update(x, x, ['a'])", "names: 1 for 2 images"),
    "loop-name-twice": (
        "s = SaliencyMetrics(); s.update(x, x, ['a', 'b']); s.update(x + 1, x, ['a', 'c']); s.compute()",
        r"with different maps: a; call reset\(\)",
    ),
    "loop-other-mask": (
        "s = SaliencyMetrics(); s.update(x, x, ['a', 'b']); s.update(x, x + 1, ['a', 'c']); s.compute()",
        "with different masks: a; expected one name per image",
    ),
    "loop-protocol": ("SaliencyMetrics('row')", "unknown protocol 'row'"),
    "loop-metrics": ("SaliencyMetrics(metrics=['maxG'])", "maxG"),
    "loop-workers": ("SaliencyMetrics(workers=0)", "workers"),
    "loop-merge-other-protocol": (
        "SaliencyMetrics().merge_state(SaliencyMetrics('raw'))",
        "different protocols: pysodmetrics here, raw there",
    ),
    "loop-merge-other-metrics": (
        "SaliencyMetrics().merge_state(SaliencyMetrics(metrics=['MAE']))",
        "different settings",
    ),
    "loop-merge-none": ("SaliencyMetrics().merge_state(None)", "found NoneType"),
}
# a note and no exception: a list of runs may be empty
NOTED = {"load-runs-nowhere"}


CASES = [
    *(
        Case(f"arguments/map-{what}", _update(value, "map"), says="the-pair", raises=WRONG, megabytes=700)
        for what, value in ARRAYS.items()
    ),
    *(
        Case(f"arguments/mask-{what}", _update(value, "mask"), says="the-pair", raises=WRONG, megabytes=700)
        for what, value in ARRAYS.items()
        if what not in NOT_FOR_MASKS
    ),
    *(
        Case(f"arguments/name-{what}", _named(name), says="name", raises=WRONG)
        for what, name in NAMES.items()
    ),
    *(
        Case(
            f"arguments/{what}",
            _api(text),
            says="" if what in NOTED else f"{says}|TypeError: ",
            raises=WRONG,
            code=(0, 2) if what in NOTED else 2,
        )
        for what, (text, says) in CALLS.items()
    ),
]
