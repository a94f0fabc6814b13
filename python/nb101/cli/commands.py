"""All commands by name, with the line that a list of them has of each."""

from nb101.cli.groups import Entry

# An op list such as -1,0,-2 is an argument and not an option.
_OPS = {"ignore_unknown_options": True}
COMMANDS = (
    Entry(
        "enumerate",
        "enumerate:enumerate_space",
        "Enumerate every unique cell of a space, hash it and write it to a file.",
    ),
    Entry("count", "count:count", "Count the unique cells of a space by vertices and edges."),
    Entry(
        "hash",
        "hash:hash_command",
        "Print the fingerprint of modules, one a line.",
        settings=_OPS,
    ),
    Entry(
        "cell",
        "cell:cell",
        "Print all that is known about a cell, and draw it.",
        settings=_OPS,
    ),
    Entry(
        "convert",
        "convert:convert",
        "Turn a file of official records (TFRecord) into a table, without TensorFlow.",
        "CONVERT_EXAMPLES",
    ),
    Entry("export", "convert:export", "Write a table in another format.", "EXPORT_EXAMPLES"),
    Entry(
        "info",
        "info:info",
        "Say what is in a table: runs, budgets, repeats, ranges, and where they came from.",
    ),
    Entry(
        "query",
        "query:query",
        "Print all runs of a cell: every budget and repeat.",
        "QUERY_EXAMPLES",
        _OPS,
    ),
    Entry(
        "top",
        "query:top",
        "List the best cells by the mean of a metric over their repeats.",
        "TOP_EXAMPLES",
    ),
    Entry(
        "report",
        "analysis:report",
        "Analyse a table as the paper does, and write it as one page.",
        "REPORT_EXAMPLES",
    ),
    Entry("plot", "analysis:plot", "Draw one figure of a table to a file.", "PLOT_EXAMPLES"),
    Entry(
        "explore",
        "explore:explore",
        "Look at a table in a browser: every cell a point, filters, neighbours, searches.",
    ),
    Entry(
        "download",
        "download:download",
        "Fetch an official file, check and convert it, for load_table to open in milliseconds.",
    ),
    Entry(
        "run",
        "run:run",
        "Run a program that was written for the original, unchanged.",
        settings={"allow_interspersed_args": False},
    ),
    Entry(
        "train",
        "train:train",
        "Train the network of a cell as the published tables were made, and measure it.",
        "TRAIN_EXAMPLES",
        _OPS,
    ),
    Entry(
        "onnx",
        "onnx:onnx",
        "Write the network of a cell, or of a checkpoint, as a file of ONNX.",
        "ONNX_EXAMPLES",
        _OPS,
    ),
    Entry(
        "bench",
        "bench:bench",
        "Measure how fast this machine enumerates, hashes, looks up and counts; or trains.",
    ),
)
PREDICT = (
    Entry(
        "sample",
        "predict:sample",
        "Write a table of simulated runs, to practise fitting on.",
        "SAMPLE_EXAMPLES",
    ),
    Entry(
        "fit",
        "predict:fit",
        "Fit a predictor to a table, and print its errors by cross-validation.",
        "FIT_EXAMPLES",
    ),
    Entry(
        "apply",
        "predict:apply",
        "Predict a cell, or the whole space into a table.",
        "APPLY_EXAMPLES",
        _OPS,
    ),
)
SEARCH = (
    Entry(
        "run",
        "search:search",
        "Search a table for a good cell, in simulated time: nb101 search NAME.",
        "RUN_EXAMPLES",
    ),
    Entry(
        "compare",
        "search:compare",
        "Run algorithms many times, and write a page that compares them.",
        "COMPARE_EXAMPLES",
    ),
    Entry(
        "page",
        "search:page",
        "Write the page of a comparison whose runs are not all done, of those that are.",
        "PAGE_EXAMPLES",
    ),
    Entry(
        "list",
        "search:list_searchers",
        "List the algorithms, their options, and how they differ from the paper's.",
        "LIST_EXAMPLES",
    ),
)
PROXIES = (
    Entry(
        "run",
        "proxies:run",
        "Score cells by zero-cost proxies, or go on with it.",
        "RUN_EXAMPLES",
        _OPS,
    ),
    Entry(
        "table",
        "proxies:table",
        "Write the scores of a folder, a table, or NASLib's file as a table; even while it grows.",
        "TABLE_EXAMPLES",
    ),
    Entry(
        "list",
        "proxies:list_proxies",
        "List the proxies: what they compute, and where they were published.",
        "LIST_EXAMPLES",
    ),
)
CAMPAIGN = (
    Entry(
        "plan",
        "plan:plan",
        "Write a plan: which cells, at which budgets, how often, by which recipe, on which images.",
        "PLAN_EXAMPLES",
        _OPS,
    ),
    Entry("run", "campaign:run", "Carry out a plan, or go on with it.", "RUN_EXAMPLES"),
    Entry(
        "status",
        "status:status",
        "Say how far a campaign is, also while it runs; rank the settings of a grid; list "
        "failures.",
        "STATUS_EXAMPLES",
    ),
    Entry(
        "table",
        "campaign:table",
        "Write the finished runs of a campaign as a table, also while it runs.",
        "TABLE_EXAMPLES",
    ),
)
DATA = (
    Entry(
        "fetch",
        "train:fetch",
        "Fetch an image set from where it was published, and check it.",
        None,
    ),
    Entry("info", "train:info", "Say what is in an image set, and check it.", None),
)
DATA_HELP = "Image sets to train on: fetch one, or see what is in one."
DATA_EXAMPLES = """[bold]Examples[/bold]

nb101 data fetch cifar10

nb101 data info cifar-10-python.tar.gz"""
