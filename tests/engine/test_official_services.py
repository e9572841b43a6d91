"""Each provider's client against a small server on loopback in the provider's documented form.

The forms of the three services are known from their documentation only; the rows are real.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from geomon.errors import InputError
from geomon.official import read_csv
from geomon.official.asking import Question
from geomon.official.fetching import Manner, ServiceError, get
from geomon.official.providers import fetch
from geomon.official.service import version_order
from tests.engine.official_servers import Bank, Sdmx, Service, Un, rows_of, serving

SOON = Manner(timeout=0.5, tries=3, pause=0.0)
"""Three tries without a pause."""


@pytest.fixture
def un(shared_data: Path) -> Iterator[Service]:
    file = shared_data / "tables/official/unsd_sdg_2020q3_extract.csv"
    rows = [r for area in ("678", "108", "1") for r in rows_of(file, SeriesCode="AG_LND_FRST", GeoAreaCode=area)]
    texts = [r for r in rows_of(file, SeriesCode="ER_MTN_GRNCVI") if r["Value"] in ("N", "NV")]
    some = rows_of(file, SeriesCode="ER_MTN_GRNCVI")[:3]
    with serving(Un([*rows, *texts, *some], page=4)) as service:
        yield service


@pytest.fixture
def bank(shared_data: Path) -> Iterator[Service]:
    folder = shared_data / "tables/official"
    names = {r["indicator"]: r["indicator_name"] for r in rows_of(folder / "wdi_indicators.csv")}
    rows = [r for a in ("STP", "WLD") for r in rows_of(folder / "wdi_extract.csv", indicator="AG.LND.FRST.ZS", iso3=a)]
    with serving(Bank(rows, {"AG.LND.FRST.ZS": names["AG.LND.FRST.ZS"]}, page=7)) as service:
        yield service


@pytest.fixture
def sdmx(shared_data: Path) -> Iterator[Service]:
    folder = shared_data / "sdmx"
    dsd, data = ((folder / name).read_bytes() for name in ("RWA_SDG_DSD_1.3_2025.xml", "RWA_SDG_data_2025.xml"))
    with serving(Sdmx(dsd, few(data))) as service:
        yield service


def few(data: bytes, series: int = 3) -> bytes:
    """A message with its first series alone."""
    parts = data.split(b"</Series>")
    return b"</Series>".join([*parts[:series], parts[-1]])


def of_un(service: Service, *areas: str, series: str = "AG_LND_FRST") -> Question:
    return Question(provider="un-sdg", series=(series,), areas=areas, url=service.url)


def of_bank(service: Service, *areas: str) -> Question:
    return Question(provider="worldbank", series=("AG.LND.FRST.ZS",), areas=areas, url=service.url)


def of_sdmx(service: Service, flow: str = "NISR-SDGs/DF_SDG") -> Question:
    return Question(provider="sdmx", flow=flow, url=service.url)


def test_the_un_api_gives_what_the_extract_holds(un: Service, shared_data: Path) -> None:
    fetched = fetch(of_un(un, "STP"), SOON)
    extract = read_csv(shared_data / "tables/official/unsd_sdg_2020q3_extract.csv")
    same = extract[(extract.series == "AG_LND_FRST") & (extract.ref_area == "STP")]
    keys = ["time_period", "obs_value", "unit_measure", "nature"]
    assert fetched.table[keys].to_numpy().tolist() == same[keys].to_numpy().tolist()
    assert fetched.release == "2020.Q3.G.01" and len(fetched.table) > 0


def test_every_page_of_the_un_api_is_read_and_kept(un: Service) -> None:
    fetched = fetch(of_un(un), SOON)
    pages = [query["page"] for path, query in un.asked if path.endswith("/Data")]
    assert pages == [str(n + 1) for n in range(len(pages))] and len(pages) > 1
    assert len(fetched.table) == sum(len(json.loads(b.content)["data"]) for b in fetched.bodies[1:])
    assert set(fetched.table.ref_area) == {"STP", "BDI", "group:1"}


def test_n_and_nv_of_the_un_api_are_missing_with_their_words(un: Service) -> None:
    table = fetch(of_un(un, series="ER_MTN_GRNCVI"), SOON).table
    words = table.obs_status[table.obs_value.isna()].value_counts().to_dict()
    assert words == {f"text instead of a number in the source: {w!r}": n for w, n in (("N", 40), ("NV", 10))}


def test_the_world_banks_api_gives_what_the_extract_holds(bank: Service, shared_data: Path) -> None:
    fetched = fetch(of_bank(bank, "678"), SOON)
    extract = read_csv(shared_data / "tables/official/wdi_extract.csv")
    same = extract[(extract.series == "AG.LND.FRST.ZS") & (extract.ref_area == "STP")]
    keys = ["series", "ref_area", "time_period", "obs_value", "unit_measure", "definition", "publisher"]
    assert fetched.table[keys].to_numpy().tolist() == same[keys].to_numpy().tolist()
    assert fetched.release == "2026-01-28" and len(fetched.bodies) == -(-len(same) // 7)


def test_groups_of_the_world_bank_pair_with_nobody(bank: Service) -> None:
    assert set(fetch(of_bank(bank), SOON).table.ref_area) == {"STP", "group:1W"}


def test_the_newest_version_of_a_flow_is_found_and_1_10_is_after_1_9(sdmx: Service) -> None:
    fetched = fetch(of_sdmx(sdmx), SOON)
    assert fetched.release == "DF_SDG 1.10" and fetched.dsd == "NISR-SDGs:SDG(1.3)"
    assert [path for path, _ in sdmx.asked] == [
        "/dataflow/NISR-SDGs/DF_SDG/all",
        "/datastructure/NISR-SDGs/SDG/1.3",
        "/data/NISR-SDGs,DF_SDG,1.10/all",
    ]
    assert len(fetched.table) == 15 and version_order("1.10") > version_order("1.9")


def test_a_changed_flow_is_followed(sdmx: Service) -> None:
    assert isinstance(sdmx.answer, Sdmx)
    sdmx.answer.versions["2.0"] = "1.4"
    fetched = fetch(of_sdmx(sdmx), SOON)
    assert (fetched.release, fetched.dsd) == ("DF_SDG 2.0", "NISR-SDGs:SDG(1.4)")


def test_an_older_version_is_read_if_asked_for_and_said_so(sdmx: Service) -> None:
    fetched = fetch(of_sdmx(sdmx, "NISR-SDGs/DF_SDG/1.9"), SOON)
    assert fetched.dsd == "NISR-SDGs:SDG(1.2)" and "the newest is 1.10" in fetched.remarks[0]
    with pytest.raises(InputError, match=r"no version 3.0; it has '1.10', '1.9'"):
        fetch(of_sdmx(sdmx, "NISR-SDGs/DF_SDG/3.0"), SOON)


def test_series_and_areas_become_the_key_of_the_structure(sdmx: Service) -> None:
    fetch(replace(of_sdmx(sdmx), series=("SI_POV_DAY1", "SP_POP"), areas=("RW",), span="2010/2020"), SOON)
    path, query = sdmx.asked[-1]
    assert path == "/data/NISR-SDGs,DF_SDG,1.10/..SI_POV_DAY1+SP_POP.RW..........."
    assert query == {"startPeriod": "2010", "endPeriod": "2020"}


QUESTIONS: dict[str, Callable[[Service], Question]] = {"un": of_un, "bank": of_bank, "sdmx": of_sdmx}


@pytest.fixture(params=QUESTIONS)
def any_service(request: pytest.FixtureRequest) -> tuple[Service, Question]:
    service: Service = request.getfixturevalue(request.param)
    return service, QUESTIONS[request.param](service)


@pytest.mark.parametrize("fault", ["500", "503", "429", "cut", "stall"])
def test_what_passes_is_asked_again(any_service: tuple[Service, Question], fault: str) -> None:
    service, question = any_service
    good = fetch(question, SOON).table
    service.faults = [fault, "", fault, fault]
    assert fetch(question, replace(SOON, timeout=0.3)).table.equals(good)
    assert service.faults == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("500", "error of its own (500). It was asked 3 times"),
        ("stall", "did not answer within 0.3 s. It was asked 3 times"),
        ("cut", "broke off"),
    ],
)
def test_what_does_not_pass_is_away(any_service: tuple[Service, Question], fault: str, words: str) -> None:
    service, question = any_service
    service.faults = [fault, "*"]
    with pytest.raises(ServiceError) as error:
        fetch(question, replace(SOON, timeout=0.3))
    assert words in str(error.value) and error.value.away and len(service.asked) == 3


def test_404_is_a_sentence_and_not_asked_again(any_service: tuple[Service, Question]) -> None:
    service, question = any_service
    service.faults = ["404"]
    with pytest.raises(ServiceError, match=r"holds nothing \(404\). Check the codes") as error:
        fetch(question, SOON)
    assert not error.value.away and len(service.asked) == 1


@pytest.mark.parametrize("fault", ["short", "garbage"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_half_an_answer_or_none_is_an_error_and_never_data(
    any_service: tuple[Service, Question], fault: str, at: int
) -> None:
    """Whichever of its answers it is; a pinned vintage may then serve."""
    service, question = any_service
    service.faults = [*[""] * at, fault, "", "", ""]
    with pytest.raises(ServiceError, match=r"not whole|did not answer with") as error:
        fetch(question, SOON)
    assert error.value.away


def test_a_login_page_in_the_place_of_data_is_an_error(un: Service) -> None:
    un.faults = ["garbage"]
    with pytest.raises(ServiceError, match="not whole JSON"):
        fetch(of_un(un), SOON)


def test_pages_that_do_not_add_up_are_an_error(un: Service) -> None:
    assert isinstance(un.answer, Un)
    whole = un.answer

    def lossy(path: str, query: dict[str, str]) -> object:
        made = whole(path, query)
        return {**made, "data": made["data"][:-1]} if query.get("page") == "2" else made

    un.answer = lossy  # type: ignore[assignment]
    with pytest.raises(ServiceError, match=r"promised \d+ rows and gave \d+") as error:
        fetch(of_un(un), SOON)
    assert error.value.away


def test_pages_that_overlap_are_an_error_though_they_add_up(un: Service) -> None:
    """Off by one: each page but the first begins with the last row of the one before it."""
    assert isinstance(un.answer, Un)
    whole = un.answer

    def sliding(path: str, query: dict[str, str]) -> object:
        made = whole(path, query)
        if query.get("page", "1") == "1":
            return made
        before = whole(path, {**query, "page": str(int(query["page"]) - 1)})
        return {**made, "data": [before["data"][-1], *made["data"][:-1]]}

    un.answer = sliding  # type: ignore[assignment]
    with pytest.raises(ServiceError, match="the same rows on two pages") as error:
        fetch(of_un(un), SOON)
    assert error.value.away


def test_an_empty_page_before_the_last_is_an_error_and_not_asked_for_ever(un: Service) -> None:
    assert isinstance(un.answer, Un)
    whole = un.answer

    def endless(path: str, query: dict[str, str]) -> object:
        made = whole(path, query)
        return {**made, "totalPages": int(query["page"]) + 1} if "page" in query else made

    un.answer = endless  # type: ignore[assignment]
    with pytest.raises(ServiceError, match=r"nothing on page \d+ of \d+"):
        fetch(of_un(un), SOON)


def test_one_question_in_another_order_is_the_same_question() -> None:
    a = Question(provider="un-sdg", series=("S", "T"), areas=("STP", "BDI"))
    b = Question(provider="un-sdg", series=("T", "S", "T"), areas=("108", "678", "STP"))
    assert a.query == b.query == {"series": "S+T", "area": "BDI+STP"}


def test_a_period_that_is_none_is_refused_before_the_service_is_asked_for_it(un: Service, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"The period is '2000-2020'; write a year or 2000/2020"):
        fetch(replace(of_un(un), span="2000-2020"), SOON)
    with pytest.raises(InputError, match="leave --period 2000/2020 away"):
        fetch(Question(provider="file", file=str(tmp_path / "x.csv"), span="2000/2020"), SOON)


def test_a_service_that_is_updated_between_two_pages_is_asked_again_later(bank: Service) -> None:
    assert isinstance(bank.answer, Bank)
    whole = bank.answer

    def growing(path: str, query: dict[str, str]) -> object:
        made = whole(path, query)
        made[0]["total"] += int(query["page"])
        return made

    bank.answer = growing  # type: ignore[assignment]
    with pytest.raises(ServiceError, match="was updated while it was read"):
        fetch(of_bank(bank), SOON)


def test_an_empty_result_is_said_so(un: Service, bank: Service) -> None:
    with pytest.raises(InputError, match="no observations of series AG_LND_FRST, area NAM"):
        fetch(of_un(un, "NAM"), SOON)
    with pytest.raises(InputError, match=r"no observations of series AG.LND.FRST.ZS, area NAM"):
        fetch(of_bank(bank, "NAM"), SOON)


def test_an_empty_sdmx_message_is_said_so(sdmx: Service) -> None:
    assert isinstance(sdmx.answer, Sdmx)
    data = sdmx.answer.data
    sdmx.answer.data = data[: data.index(b"<Series ")] + data.rpartition(b"</Series>")[2]
    with pytest.raises(InputError, match="holds no observations"):
        fetch(of_sdmx(sdmx), SOON)


def test_an_unknown_series_is_named_with_what_is_near(un: Service, bank: Service) -> None:
    with pytest.raises(InputError, match=r"no series 'AG_LND_FRS'.*Did you mean 'AG_LND_FRST'"):
        fetch(of_un(un, series="AG_LND_FRS"), SOON)
    with pytest.raises(ServiceError, match="The indicator was not found"):
        fetch(replace(of_bank(bank), series=("AG.LND.FRS",)), SOON)


def test_too_large_an_answer_is_refused(sdmx: Service) -> None:
    with pytest.raises(ServiceError, match=r"more than 0.3 MB"):
        fetch(of_sdmx(sdmx), replace(SOON, most=300_000))


def test_pauses_double() -> None:
    waited: list[float] = []
    with serving(lambda path, query: b"yes") as service:
        service.faults = ["500", "*"]
        with pytest.raises(ServiceError):
            get(service.url, manner=Manner(tries=4, pause=2.0, sleep=waited.append))
    assert waited == [2, 4, 8]


def test_a_service_that_is_not_there_is_away() -> None:
    with serving(lambda path, query: b"yes") as service:
        gone = service.url
    with pytest.raises(ServiceError, match="cannot be reached") as error:
        get(gone, manner=SOON)
    assert error.value.away


def test_an_open_sdg_file_is_read_from_its_address(shared_data: Path) -> None:
    body = (shared_data / "tables/official/uk_ons_indicator_15-1-1.csv").read_bytes()
    with serving(lambda path, query: body if path == "/en/data/indicator_15-1-1.csv" else None) as service:
        from geomon.official import Told

        question = Question(
            provider="open-sdg", file=f"{service.url}/en/data/indicator_15-1-1.csv", told=Told(area="GBR")
        )
        fetched = fetch(question, SOON)
        assert len(fetched.table) == 249 and fetched.bodies[0].content == body
        service.faults = ["short"]
        with pytest.raises(ServiceError, match="cut off"):
            fetch(question, SOON)


def test_a_provider_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="Did you mean 'un-sdg'"):
        fetch(Question(provider="unsdg"), SOON)
    with pytest.raises(InputError, match="needs a series: --series AG_LND_FRST"):
        fetch(Question(provider="un-sdg"), SOON)
    with pytest.raises(InputError, match="needs a file"):
        fetch(Question(provider="file"), SOON)
