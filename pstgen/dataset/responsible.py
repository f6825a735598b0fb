"""What is said of a set about responsible use, in the terms of Croissant's RAI vocabulary (`rai:` before each name).

The names are the minimal set of the RAI fields that venues ask of data sets, and two more.
Source: croissant-rai-spec.md of https://github.com/mlcommons/croissant.
"""

from pstgen.dataset.contents import Contents

REQUIRED = (
    "dataLimitations",
    "dataBiases",
    "personalSensitiveInformation",
    "dataUseCases",
    "dataSocialImpact",
    "hasSyntheticData",
)
SELECTED = (
    "Pairs are selected against the judges that are named under prov:wasGeneratedBy, so that their own results are biased, and other "
    "models may be misled by fewer of the wordings, or by others."
)


def statements(held: Contents) -> dict[str, str | bool]:
    """By the name of the field: what is true of this set."""
    return {
        "dataUseCases": "Testing whether a vision-language model answers from the image or from the words. The measure is the share of "
        "pairs won, beside what chance gives; neutral and misleading words apart. A set that was used for training is no test any more.",
        "dataLimitations": f"{SELECTED} A won pair shows sight of what its family of questions is about, in images like these, and nothing "
        f"beyond. Words are English. {_generality(held)} Labels follow from annotations, and are wrong where those are.",
        "dataBiases": "Questions are about things that annotators marked, and lures about what is common where the counts come from. "
        + (
            "What is common in the drawings was set by pstgen."
            if held.synthetic
            else "Kinds of things, places and people are as unevenly spread as in the source; what is usual there is not usual everywhere."
        ),
        "personalSensitiveInformation": "None: the pictures are drawings, and the figures in them show no real person."
        if held.synthetic
        else f"Photographs may show people, who were not asked. {faces(held)} Questions are about whether "
        "people are there, how many, where and in which pose; none is about who they are, or about age, sex, origin or health.",
        "dataSocialImpact": "It makes guessing from language visible in models that are said to see. Surveillance is no intended use: "
        "nobody is to be identified, followed, rated or sorted by means of it, and no score shows that a model is fit for that, "
        "or for driving, medicine or policing.",
        "dataAnnotationProtocol": "Answers and targets are computed from the source's masks, boxes, keypoints and captions; what is not "
        "certain is unknown, and no question is about it. Whether people audited labels is in certificate.json.",
        "hasSyntheticData": held.synthetic or held.edited > 0,
    }


def faces(held: Contents) -> str:
    """What was done to faces in photographs."""
    if held.blurred:
        return "Faces are blurred where the annotations mark a head, and sharp where the answer depends on them."
    return "Faces are as the source has them."


def _generality(held: Contents) -> str:
    if held.synthetic:
        return "Results on drawings say nothing about photographs."
    made = f" {held.edited:,} items show a picture that was edited." if held.edited else ""
    return f"Many models have seen these photographs in training.{made}"
