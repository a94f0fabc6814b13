"""``nb101 onnx``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nb101._base.checks import check_whole
from nb101._base.files import check_writable
from nb101.cli.options import SpaceOptions, grouped
from nb101.cli.output import beside, describe_file, output_file
from nb101.cli.printing import print_line
from nb101.cli.recipe import make_recipe
from nb101.cli.train import CellOptions
from nb101.errors import ArgumentError

ONNX_EXAMPLES = """[bold]Examples[/bold]

nb101 onnx --checkpoint runs/inception -o inception.onnx

nb101 onnx 28cfc7874f6d200472e1a9dcd8650aa0 --stem-channels 16 --cells-per-stack 1 -o inception.onnx

nb101 onnx --id 359715 --seed 1 --image-size 64 -o untrained.onnx"""
Size = int | None


@grouped
def onnx(
    which: CellOptions,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="Where it goes; - for stdout."),
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint", "-c", metavar="FOLDER", help="The weights of a training's checkpoint."
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="N", help="Of new weights; 0 by default."),
    ] = None,
    stem_channels: Annotated[
        Size, typer.Option("--stem-channels", metavar="N", help="128 by default.")
    ] = None,
    stacks: Annotated[Size, typer.Option("--stacks", metavar="N", help="3 by default.")] = None,
    cells_per_stack: Annotated[
        Size, typer.Option("--cells-per-stack", metavar="N", help="3 by default.")
    ] = None,
    num_classes: Annotated[
        Size, typer.Option("--num-classes", metavar="N", help="10 by default.")
    ] = None,
    image_channels: Annotated[
        Size, typer.Option("--image-channels", metavar="N", help="3 by default.")
    ] = None,
    image_size: Annotated[
        Size, typer.Option("--image-size", metavar="N", help="Height and width; 32 by default.")
    ] = None,
    opset: Annotated[
        int, typer.Option("--opset", metavar="N", help="Version of ONNX's operators, 18 to 22.")
    ] = 18,
    *,
    of: SpaceOptions,
) -> None:
    r"""Write the network of a cell, or of a checkpoint, as a file of ONNX.

    Other runtimes take it, with batches of any size. That of a checkpoint of nb101 train has its
    weights; that of a cell new ones, as a training with this seed begins with. Needs PyTorch and
    ONNX: pip install 'nb101\[onnx]'.
    """
    output = output_file(output, "onnx")
    recipe: dict[str, Any] = {"stem_channels": stem_channels, "stacks": stacks}
    recipe |= {"cells_per_stack": cells_per_stack, "num_classes": num_classes}
    given = {name: value for name, value in recipe.items() if value is not None}
    others = {"seed": seed, "image_channels": image_channels, "image_size": image_size}
    check_writable(output)
    if checkpoint is not None:
        for name, value in {**recipe, **others}.items():
            if value is not None:
                raise ArgumentError(
                    f"--{name.replace('_', '-')} is that of the checkpoint", field=name
                )
        if which.module or which.id is not None:
            raise ArgumentError("name a cell or a checkpoint, not both", field="checkpoint")
        from nb101.train import checkpoint_to_onnx

        checkpoint_to_onnx(checkpoint, output, opset=opset)
    else:
        cell = which.find(of.make())
        config = make_recipe(given)
        from nb101.nn import to_onnx
        from nb101.nn.onnx import need_onnx
        from nb101.train.network import draw_network

        need_onnx()
        seed = 0 if seed is None else check_whole("seed", seed, 0)
        channels = 3 if image_channels is None else image_channels
        network = draw_network(cell, config, channels, None, seed, 1)
        said = {"weights": "drawn", "recipe": config.recipe(), "seed": seed}
        size = 32 if image_size is None else image_size
        to_onnx(network, output, image_size=size, opset=opset, about=said)
    with beside(output):
        print_line(describe_file(output))
