import json
import pickle
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.chat.adapters import AdapterBank
from engine.chat.playground import Sampling, answer
from engine.errors import ModelError, RecipeError
from engine.export import importing
from engine.model.adapter_files import MAX_HEADER_BYTES, MAX_TENSORS
from engine.recipe import FIELDS, Recipe
from engine.studio import Voice
from engine.training.runs.directory import RunDirectory
from tests.engine.export.conftest import export


@pytest.fixture
def bundle(run, tmp_path) -> Path:
    return export(run, tmp_path / "Spring sale.zip")


def import_adapter(workspace, source: Path, name: str = "", base: str = "") -> Path:
    """Import as the studio does, which knows the base models of its runs."""
    known = [RunDirectory(run).recipe.model for run in workspace.runs.iterdir()]
    return importing.import_adapter(workspace, source, name, base, known)


def files_of(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def rewritten(source: Path, target: Path, *, without: tuple[str, ...] = (), **added: bytes | str) -> Path:
    """Copy a zip, leaving files out and adding others (``a__b`` stands for ``a.b``)."""
    names = {name.replace("__", "."): content for name, content in added.items()}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename not in {*without, *names}:
                new.writestr(entry.filename, old.read(entry))
        for name, content in names.items():
            new.writestr(name, content)
    return target


def with_entry(source: Path, target: Path, entry: zipfile.ZipInfo | str, content: bytes = b"x") -> Path:
    shutil.copyfile(source, target)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry, content)
    return target


def refused(workspace, source: Path, said: str) -> ModelError:
    """The import is refused in words that contain ``said``, and leaves nothing behind."""
    everything = sorted(path for path in workspace.root.parent.rglob("*"))
    with pytest.raises(ModelError, match=said) as error:
        import_adapter(workspace, source)
    assert error.value.remedy, "it says what is wrong, and not what to do"
    assert list(workspace.adapters.iterdir()) == []
    assert sorted(path for path in workspace.root.parent.rglob("*")) == everything
    return error.value


def test_a_folder_keeps_the_dots_of_its_name(workspace, run, tmp_path):
    source = shutil.copytree(run.adapter, tmp_path / "my.adapter v1.2")
    about = json.loads((import_adapter(workspace, source) / "about.json").read_text())
    assert about["name"] == "my.adapter v1.2"


def test_exported_zip_comes_back_and_says_the_same(workspace, bundle, run, tiny_base):
    folder = import_adapter(workspace, bundle, "From  the\nshop")
    assert folder.parent == workspace.adapters
    assert folder.name.endswith("-from-the-shop")
    assert files_of(folder) == [
        "about.json",
        "adapter_config.json",
        "adapter_model.safetensors",
        "base_weights.json",
        "chat_template.jinja",
        "passport.json",
        "recipe.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    about = json.loads((folder / "about.json").read_text())
    assert (about["name"], about["model"]) == ("From the shop", tiny_base.ref)
    assert about["imported_at"] > 1_700_000_000
    voices = [Voice("a", "a", "", run.adapter), Voice("b", "b", "", folder), Voice("base", "base", "", None)]
    ask = [{"role": "user", "content": "where is my parcel"}]
    *_, frame = answer(tiny_base, voices, [ask] * 3, Sampling(0.0, max_new_tokens=12))
    first, second, base = (said.text for said in frame.answers)
    assert first == second != base


def test_name_of_the_file_serves_when_none_is_given(workspace, bundle):
    about = json.loads((import_adapter(workspace, bundle) / "about.json").read_text())
    assert about["name"] == "Spring sale"


def test_zip_with_a_folder_and_the_litter_of_a_mac_is_taken(workspace, bundle, tmp_path):
    nested = tmp_path / "nested.zip"
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(nested, "w") as new:
        for entry in old.infolist():
            new.writestr(f"my adapter/{entry.filename}", old.read(entry))
        new.writestr("__MACOSX/my adapter/._adapter_config.json", b"x")
        new.writestr("__MACOSX/my adapter/adapter_config.json", b"x")
        new.writestr("my adapter/.DS_Store", b"x")
        new.writestr("my adapter/run_me.py", b"x")
    folder = import_adapter(workspace, nested)
    assert "run_me.py" not in files_of(folder)
    assert "adapter_model.safetensors" in files_of(folder)


def test_peft_folder_is_taken_with_its_base_from_its_configuration(workspace, run, tmp_path):
    folder = shutil.copytree(run.adapter, tmp_path / "from peft")
    (folder / "optimizer.pt").write_bytes(b"x")
    values = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(values | {"base_model_name_or_path": "Qwen/Qwen3-4B"}))
    imported = import_adapter(workspace, folder)
    assert json.loads((imported / "about.json").read_text())["model"] == "Qwen/Qwen3-4B"
    assert "optimizer.pt" not in files_of(imported)
    assert (folder / "optimizer.pt").exists()


def test_folder_of_a_run_is_taken_with_its_recipe(workspace, run, tiny_base):
    imported = import_adapter(workspace, run.path, "whole run")
    assert json.loads((imported / "recipe.json").read_text())["model"] == tiny_base.ref


def test_starter_stays_the_starter(workspace, bundle, tmp_path):
    recipe = json.dumps({"model": "starter"})
    source = rewritten(bundle, tmp_path / "starter.zip", recipe__json=recipe)
    assert json.loads((import_adapter(workspace, source) / "about.json").read_text())["model"] == "starter"


@pytest.mark.parametrize(
    "model",
    ["/no/such/folder", "../../etc", "a/../b", "//server/share", "\\\\server\\share", "one-word", "a/b/c", "-x/y"],
)
def test_base_that_cannot_be_loaded_here_is_refused(workspace, bundle, tmp_path, model):
    source = rewritten(bundle, tmp_path / "other.zip", recipe__json=json.dumps({"model": model}))
    assert "base model" in refused(workspace, source, "is not known on this computer").message


def test_base_that_is_not_named_is_missed(workspace, bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        values = json.loads(archive.read("adapter_config.json"))
    config = json.dumps(values | {"base_model_name_or_path": None})
    source = rewritten(bundle, tmp_path / "o.zip", without=("recipe.json",), adapter_config__json=config)
    refused(workspace, source, "does not say which base model")


@pytest.mark.parametrize("recipe", ["{", "[]", "{}", '{"model": ["a/b"]}', "null", '"starter"'])
def test_damaged_recipe_is_refused(workspace, bundle, tmp_path, recipe):
    refused(workspace, rewritten(bundle, tmp_path / "o.zip", recipe__json=recipe), r"recipe.json in o\.zip")


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_recipe_with_which_it_could_never_be_asked_is_refused(tmp_path, name):
    """Every setting with values of every kind: taken and of use, or refused; never taken and then of no use."""
    good = Recipe(model="starter").to_dict()
    for value in (["a"], {"a": 1}, "no such", -(10**30), 1e300, None, True):
        try:
            Recipe.from_dict({**good, name: value})
        except RecipeError as error:
            staged = tmp_path / "o.zip"
            staged.mkdir(exist_ok=True)
            (staged / "recipe.json").write_text(json.dumps({**good, name: value}))
            with pytest.raises(ModelError, match=r"recipe\.json in o\.zip is damaged") as caught:
                importing._checked_recipe(staged)
            assert error.message in caught.value.message


def test_an_unknown_setting_is_refused_in_words(workspace, bundle, tmp_path):
    recipe = json.dumps({"model": "starter", "warp_factor": 9})
    refused(workspace, rewritten(bundle, tmp_path / "new.zip", recipe__json=recipe), "no setting called 'warp_factor'")


def test_base_that_the_person_names_is_taken(workspace, bundle, tmp_path, run, tiny_base):
    source = rewritten(bundle, tmp_path / "o.zip", recipe__json=json.dumps({"model": "another-name"}))
    refused(workspace, source, "base model 'another-name', which is not known")
    for base in (tiny_base.ref, "starter", "Qwen/Qwen3-4B"):
        folder = import_adapter(workspace, source, base=f" {base} ")
        assert json.loads((folder / "about.json").read_text())["model"] == base
        shutil.rmtree(folder)
    with pytest.raises(ModelError, match="is no model folder and no model hub id"):
        import_adapter(workspace, source, base=str(tmp_path))


def test_refusals_name_the_file_and_no_temporary_folder(workspace, bundle, tmp_path):
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": "starter"}
    for wrong in (
        {"task_type": ["a"]},
        {"task_type": {"a": 1}},
        {"task_type": "SEQ_CLS"},
        {"peft_type": ["LORA"]},
        {"use_dora": True},
        {"r": [4]},
        {"r": 10**400},
        {"lora_alpha": 10**400},
        {"alpha_pattern": ["a"]},
        {"init_lora_weights": ["a"]},
        {"strange": 1},
    ):
        source = rewritten(bundle, tmp_path / "shop.zip", adapter_config__json=json.dumps(config | wrong))
        message = str(refused(workspace, source, r"shop\.zip"))
        assert ".import-" not in message
        assert str(workspace.root) not in message


def test_more_tensors_than_an_adapter_has_are_refused_unread(workspace, bundle, tmp_path, monkeypatch):
    save_file({f"t{number}": torch.zeros(1) for number in range(100)}, tmp_path / "few")
    many = struct.pack("<Q", MAX_HEADER_BYTES + 1) + b"{" + b" " * MAX_HEADER_BYTES + bytes(4)
    monkeypatch.setattr("safetensors.torch.load_file", None)  # nothing reads them
    for weights, most in ((many, MAX_TENSORS), ((tmp_path / "few").read_bytes(), 99)):
        monkeypatch.setattr("engine.model.adapter_files.MAX_TENSORS", most)
        with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(tmp_path / "many.zip", "w") as new:
            for entry in old.infolist():
                new.writestr(entry.filename, weights if entry.filename.endswith(".safetensors") else old.read(entry))
        refused(workspace, tmp_path / "many.zip", rf"many\.zip holds more than {most:,} tensors")
        (tmp_path / "many.zip").unlink()


@pytest.mark.parametrize(
    "name",
    ["../evil.json", "a/../../evil.json", "/etc/evil.json", "..\\evil.json", "C:/evil.json", "C:\\evil.json", "a:b"],
)
def test_file_that_wants_to_lie_elsewhere_is_refused(workspace, bundle, tmp_path, name):
    refused(
        workspace,
        with_entry(bundle, tmp_path / "slip.zip", name),
        "unsafe: it holds a file that wants to lie elsewhere",
    )


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_link_and_device_are_refused(workspace, bundle, tmp_path, kind):
    entry = zipfile.ZipInfo("tokenizer.model")
    entry.external_attr = (kind | 0o777) << 16
    refused(workspace, with_entry(bundle, tmp_path / "link.zip", entry, b"/etc/passwd"), "is a link or a device")


def test_bomb_is_refused_unread(workspace, bundle, tmp_path):
    source = with_entry(bundle, tmp_path / "bomb.zip", "tokenizer.model", bytes(50_000_000))
    assert source.stat().st_size < 5_000_000
    refused(workspace, source, "unpacks to more than 100 times its size")


def test_more_than_two_gigabytes_are_refused_unread(workspace, bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "MAX_TOTAL_BYTES", 10_000)
    refused(workspace, bundle, "at most 2 GiB")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "folder")
    refused(workspace, tmp_path / "folder", "at most 2 GiB")


def test_thousands_of_files_are_refused(workspace, bundle, tmp_path):
    source = shutil.copyfile(bundle, tmp_path / "many.zip")
    with zipfile.ZipFile(source, "a") as archive:
        for number in range(importing.MAX_ENTRIES):
            archive.writestr(f"{number}.txt", b"")
    refused(workspace, source, r"1,010 files")


def test_entry_that_lies_about_its_size_is_refused(workspace, bundle, tmp_path):
    """The header says 100 bytes; the deflated stream holds more."""
    source = with_entry(bundle, tmp_path / "liar.zip", "tokenizer.model", b"walrus " * 5000)
    data = bytearray(source.read_bytes())
    for place in _entries(data, b"tokenizer.model"):
        struct.pack_into("<I", data, place, 100)
    source.write_bytes(data)
    refused(workspace, source, "damaged|longer than it says")


def _entries(data: bytearray, name: bytes) -> list[int]:
    """Where an entry's unpacked size stands, in its local header and in the directory."""
    local = data.find(name)
    central = data.find(name, local + 1)
    assert data[local - 30 : local - 26] == b"PK\x03\x04"
    assert data[central - 46 : central - 42] == b"PK\x01\x02"
    return [local - 30 + 22, central - 46 + 24]


def test_locked_zip_is_refused(workspace, bundle, tmp_path):
    data = bytearray(bundle.read_bytes())
    place = data.find(b"PK\x01\x02")
    data[place + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(data)
    refused(workspace, tmp_path / "locked.zip", "locked with a password")


def test_torn_zip_is_refused(workspace, bundle, tmp_path):
    data = bytearray(bundle.read_bytes())
    place = data.find(b"adapter_config.json") + 40
    data[place : place + 60] = bytes(60)
    (tmp_path / "torn.zip").write_bytes(data)
    refused(workspace, tmp_path / "torn.zip", "damaged")


def test_something_else_is_refused(workspace, tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8\xff")
    refused(workspace, tmp_path / "holiday.jpg", "neither a .zip nor a folder")
    refused(workspace, tmp_path / "not there", "neither a .zip nor a folder")
    (tmp_path / "empty").mkdir()
    refused(workspace, tmp_path / "empty", r"adapter_config\.json is missing")


def test_zip_without_an_adapter_or_with_two_is_refused(workspace, bundle, tmp_path):
    refused(workspace, rewritten(bundle, tmp_path / "o.zip", without=("adapter_config.json",)), "holds no adapter")
    refused(workspace, with_entry(bundle, tmp_path / "t.zip", "b/adapter_config.json"), "several adapters")


def test_zip_without_weights_is_refused(workspace, bundle, tmp_path):
    source = rewritten(bundle, tmp_path / "o.zip", without=("adapter_model.safetensors",))
    refused(workspace, source, r"adapter_model\.safetensors is missing")


def test_same_name_twice_is_refused(workspace, bundle, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        source = with_entry(bundle, tmp_path / "twice.zip", "adapter_config.json")
    refused(workspace, source, "twice|several adapters")


def test_huge_configuration_is_refused(workspace, bundle, tmp_path):
    noise = json.dumps({"peft_type": "LORA", "target_modules": [str(number**3) for number in range(150_000)]})
    refused(workspace, rewritten(bundle, tmp_path / "o.zip", adapter_config__json=noise), "which no such file is")


def test_dora_is_refused(workspace, bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        values = json.loads(archive.read("adapter_config.json"))
    config = json.dumps(values | {"use_dora": True})
    refused(workspace, rewritten(bundle, tmp_path / "o.zip", adapter_config__json=config), "DoRA")


def test_bin_of_weights_becomes_safetensors(workspace, run, tmp_path, tiny_base):
    folder = shutil.copytree(run.adapter, tmp_path / "old")
    weights = load_file(folder / "adapter_model.safetensors")
    (folder / "adapter_model.safetensors").unlink()
    torch.save(weights, folder / "adapter_model.bin")
    (folder / "recipe.json").write_text(json.dumps({"model": "starter"}))
    imported = import_adapter(workspace, folder)
    assert "adapter_model.bin" not in files_of(imported)
    saved = load_file(imported / "adapter_model.safetensors")
    assert saved.keys() == weights.keys()
    assert all(torch.equal(saved[name], weights[name]) for name in weights)
    assert AdapterBank(tiny_base.copy()).load(imported) == "slot0"


@pytest.mark.parametrize("kind", [torch.int8, torch.bool, torch.float8_e4m3fn, torch.complex64])
def test_weights_of_a_type_that_lora_does_not_have_are_refused(workspace, bundle, run, tmp_path, kind):
    weights = load_file(run.adapter / "adapter_model.safetensors")
    save_file({name: tensor.to(kind) for name, tensor in weights.items()}, tmp_path / "odd.safetensors")
    odd = (tmp_path / "odd.safetensors").read_bytes()
    refused(workspace, rewritten(bundle, tmp_path / "o.zip", adapter_model__safetensors=odd), "type")


class Mischief:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (Path.mkdir, (self.marker,))


def test_bin_that_runs_code_is_refused_and_runs_nothing(workspace, bundle, tmp_path):
    marker = tmp_path / "it ran"
    torch.save({"base_model.model.x.lora_A.weight": Mischief(marker)}, tmp_path / "evil.bin")
    source = rewritten(
        bundle,
        tmp_path / "evil.zip",
        without=("adapter_model.safetensors",),
        adapter_model__bin=(tmp_path / "evil.bin").read_bytes(),
    )
    refused(workspace, source, "could run code")
    assert not marker.exists()


def test_a_pickle_that_is_called_safetensors_is_refused_and_runs_nothing(workspace, bundle, tmp_path):
    marker = tmp_path / "it ran"
    pickled = pickle.dumps({"base_model.model.x.lora_A.weight": Mischief(marker)})
    source = rewritten(bundle, tmp_path / "evil.zip", adapter_model__safetensors=pickled)
    refused(workspace, source, r"adapter_model\.safetensors in evil\.zip is damaged")
    assert not marker.exists()


@pytest.mark.parametrize("name", ["../../etc", "a/b", "", "   ", "CON", "é" * 500, ".hidden"])
def test_names_never_become_paths(workspace, bundle, name):
    folder = import_adapter(workspace, bundle, name)
    assert folder.parent == workspace.adapters
    assert 0 < len(json.loads((folder / "about.json").read_text())["name"]) <= 80
