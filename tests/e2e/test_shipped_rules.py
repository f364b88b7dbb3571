"""etc/feedwatch.conf catches what its reader expects, in three languages, and is silent on what only sounds like it."""
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
import pytest
from feeds import item, rss
from feedwatchd import ROOT

RC, VE = "russia-cuba", "venezuela"
# Title, text, the rules that hold.
CAUGHT = [
    ("Russia and Cuba sign a fuel deal", "", [RC]),
    ("Russian warships call at Havana", "", [RC]),
    ("Russia–Cuba trade doubles", "", [RC]),
    ("RUSSIA'S ENVOY TO CUBA RECALLED", "", [RC]),
    ("Putin writes to Díaz-Canel", "", [RC]),
    ("Lavrov thanks Diaz-Canel", "", [RC]),
    ("A Russo-Cuban commission meets", "", [RC]),
    ("Havana: the minister leaves", "He flew back to Moscow at night.", [RC]),
    ("Kolokoltsev meets Cuban police chiefs", "", [RC]),
    ("Cubans queue at the Kremlin's grain ship", "", [RC]),
    ("Moscú promete petróleo a La Habana", "", [RC]),
    ("Cuba agradece la ayuda rusa", "", [RC]),
    ("Un buque ruso en aguas cubanas", "", [RC]),
    ("Militares cubanos y rusos, juntos", "", [RC]),
    ("Россия поможет Кубе", "", [RC]),
    ("Из России на Кубу", "", [RC]),
    ("Переговоры с Кубой прошли в Москве", "", [RC]),
    ("Кубинский министр прилетел в Москву", "", [RC]),
    ("Кубинцы благодарят российских врачей", "", [RC]),
    ("Московские гости в Гаване", "", [RC]),
    ("Песни Кубы звучат в Кремле", "", [RC]),
    ("Путин позвонил Диас-Канелю", "", [RC]),
    ("МИД РФ: Остров Свободы не одинок", "", [RC]),
    ("Russia, Cuba and Venezuela speak with one voice", "", [RC, VE]),
    ("Venezuela's parliament meets", "", [VE]),
    ("Venezuelan oil finds no buyers", "", [VE]),
    ("Protests in Caracas", "", [VE]),
    ("Maduro pleads not guilty as trial opens", "", [VE]),
    ("What President Maduro told his captors", "", [VE]),
    ("Nicolás Maduro, un año después", "", [VE]),
    ("Los venezolanos votan en julio", "", [VE]),
    ("La petrolera PDVSA cambia de manos", "", [VE]),
    ("Венесуэла закрывает небо", "", [VE]),
    ("Венесуэльская нефть подорожала", "", [VE]),
    ("Мадуро предстал перед судом", "Арест продлён.", [VE]),
    ("В Каракасе спокойно", "", [VE]),
]
SILENT = [
    ("Russian firm buys an incubator", ""), ("The hens incubate, Moscow waits", ""), ("Incubadora rusa de pollos", ""),
    ("Cuban sandwich with Russian dressing", ""), ("Mark Cuban on Russian hackers", ""), ("Cuba Gooding Jr. lands in Moscow", ""),
    ("A Moscow mule and a Cuba libre, please", ""), ("Havana syndrome: Russia denies", ""), ("Little Havana hears a Russian choir", ""),
    ("El síndrome de La Habana y Rusia", ""), ("La montaña rusa de la economía cubana", ""), ("Ensaladilla rusa a la cubana", ""),
    ("Russian ballet dances in Vienna", ""), ("Prussian blue and Cubism", ""), ("Belarus and the Cuban question", ""),
    ("Rusia vence a Cuba en el Mundial de voleibol", ""), ("Football: Russia beat Cuba 3-0", ""), ("Кубок России достался гостям", ""),
    ("Кубань: в России рекорд урожая", ""), ("Кубанские казаки в Москве", ""), ("Авиабаза Кубинка под Москвой", ""),
    ("Российские яхты вошли в гавань", ""), ("Гавань Петербурга, Россия", ""), ("Гаванский синдром: версия о России", ""),
    ("Волейбол: Россия обыграла Кубу", ""), ("Россини и Росси на Кубе", ""), ("Куба без России", "Чемпионат мира по футболу."),
    ("Russia's economy shrinks", ""), ("Cuba opens its beaches", ""), ("Москва и Пекин", ""), ("Гавана и Мехико", ""),
    ("Plátano maduro frito", ""), ("A maduro cigar from Connecticut", ""), ("Un vino maduro", ""), ("Венеция и венский вальс", ""),
    ("Venezia in winter", ""), ("Venezuela beat Peru at baseball", ""), ("Karakas, a surname", ""),
]


@pytest.fixture
def shipped():
    loader = SourceFileLoader("demo", str(ROOT / "tests/tools/demo"))
    module = module_from_spec(spec_from_loader("demo", loader))
    loader.exec_module(module)
    return lambda urls: module.derive((ROOT / "etc/feedwatch.conf").read_text(), urls)


def test_shipped_rules_on_sentences(nginx, daemon, shipped):
    cases = CAUGHT + [(title, text, []) for title, text in SILENT]
    nginx.publish("a.rss", rss([item(n, title, text) for n, (title, text, _) in enumerate(cases)]))
    # Nobody is at the desktop: only the log.
    daemon.configure(shipped({"a": nginx.url("a.rss")}) + "\n[sink desktop]\nenabled = no\n")
    daemon.once()
    held = {n: [] for n in range(len(cases))}
    for alert in daemon.alerts():
        held[int(alert.link.rpartition("/")[2])].append(alert.rule)
    wrong = [f"{title!r}: {held[n]}, expected {rules}" for n, (title, _, rules) in enumerate(cases) if held[n] != rules]
    assert not wrong, "\n".join(wrong)


def test_the_shipped_configuration_runs_as_it_is(daemon, tmp_path):
    """All of its feeds fail without a network; it must be its feeds, not the file."""
    text = (ROOT / "etc/feedwatch.conf").read_text()
    assert text.count("\n[feed ") >= 3 and text.count("\n[rule ") == 2
    nowhere = "\n".join(line if not line.startswith("url") else "url = http://127.0.1.1:9/" for line in text.splitlines())
    daemon.configure(nowhere + "\n[sink desktop]\nenabled = no\n")
    daemon.allow(r"feedwatchd: warning: feed \S+: ")
    daemon.once(code=1)
