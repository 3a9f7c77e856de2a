"""The same order, to leave the instructions that were given, in the languages that most models are spoken to in.

Patterns work byte by byte on UTF-8: letters beyond ASCII stand in groups, never in classes, and `.{0,30}` counts bytes.
"""

from doorward.inspection.injection.grammar import Rule
from doorward.inspection.injection.words import ADDRESS, EXTRACTION, NEW_ORDERS, OVERRIDE, SECRECY

_NEAR = r"[^.!?;\n]{0,45}?"
"""Within the sentence."""
_CJK = r"[^\n]{0,36}?"
"""A dozen characters of three bytes."""


def _override(notation: str, near: str = "") -> Rule:
    return Rule(OVERRIDE, 6, notation, near)


GERMAN = (
    _override(
        r"(?:ignorier|vergiss|vergesse|missachte|(?:ü|ue)bergeh|verwirf|verwerfe|beachte)[a-z]{0,3}\b"
        + _NEAR
        + r"(?:vorherig|bisherig|vorig|vorangegangen|obig|fr(?:ü|ue)her|urspr(?:ü|ue)nglich|vorstehend|deine|ihre)[a-z]{0,4}"
        + _NEAR
        + r"(?:anweisung|instruktion|vorgabe|befehl|regel|prompt|anordnung|richtlinie)",
        r"ignorier|vergiss|vergessen sie|vergesse|missachte|(?:ü|ue)bergeh|verwirf|verwerfe|beachte[nt]? ",
    ),
    Rule(
        NEW_ORDERS,
        3,
        r"(?:deine|ihre) (?:neue|eigentliche|wahre)[a-z]? (?:aufgabe|anweisung|mission|instruktion)",
        r"ine neue[a-z]? (?:aufgabe|anweisung|mission)|(?:eigentliche|wahre)[a-z]? (?:aufgabe|anweisung|mission|instruktion)",
    ),
    Rule(
        SECRECY,
        3,
        r"(?:sag|erz(?:ä|ae)hl|teil|verrat|informier|benachrichtig)[a-z]{0,3} (?:das |es |dies )?(?:dem"
        r"|den) (?:be)?nutzer[a-z]? (?:nicht|nichts|kein)",
        r"(?:dem|den) (?:be)?nutzer",
    ),
    Rule(
        EXTRACTION,
        3,
        r"(?:zeig|nenn|verrat|gib|offenbar|wiederhol)[a-z]{0,3}" + _NEAR + r"(?:deinen|ihren|den) (?:system-?prompt|systemanweisung)",
        r"system-?prompt|systemanweisung",
    ),
)
FRENCH = (
    _override(
        r"(?:ignor|oubli|n(?:é|e)glig|ne (?:tiens|tenez) pas compte|ne (?:suis|suivez) (?:pas|plus)|fais abstraction|faites abstraction)[a-z]{0,3}"
        + _NEAR
        + r"(?:instruction|consigne|directive|r(?:è|e)gle|ordre|prompt|commande)s?"
        + _NEAR
        + r"(?:pr(?:é|e)c(?:é|e)dent|ant(?:é|e)rieur|ci-dessus|initial|re(?:ç|c)u|d(?:'|’)avant|du syst(?:è|e)me)",
        r"ignore[rz]? |oublie|n(?:é|e)glige|ne (?:tiens|tenez|suis|suivez) |fais abstraction|faites abstraction",
    ),
    Rule(
        NEW_ORDERS,
        3,
        r"(?:ta|votre) (?:nouvelle|vraie|v(?:é|e)ritable) (?:t(?:â|a)che|mission|consigne|instruction)",
        r"(?:nouvelle|vraie|v(?:é|e)ritable) (?:t(?:â|a)che|mission|consigne|instruction)",
    ),
    Rule(
        SECRECY,
        3,
        r"(?:ne|n.{1,3})(?: le| en)?\W{0,3}(?:dis|dites|informe|informez|pr(?:é|e)viens|pr(?:é|e)venez|r(?:é|e)v(?:è"
        r"|e)le[z]?|parle|parlez) (?:pas|rien|jamais)" + _NEAR + r"(?:utilisateur|usager)",
        r"utilisateur|usager",
    ),
    Rule(
        EXTRACTION,
        3,
        r"(?:montr|affich|r(?:é|e)v(?:è|é|e)l|donn|r(?:é|e)p(?:è|é|e)t)[a-z]{0,3}"
        + _NEAR
        + r"(?:ton|votre|tes|vos) (?:prompt|instructions?) (?:syst(?:è|e)me|initia)",
        r"(?:prompt|instructions?) (?:syst(?:è|e)me|initia)",
    ),
)
SPANISH = (
    _override(
        r"(?:ignor|olvid|descart|omit|desestim|no (?:sigas|siga|hagas caso|obedezcas)|haz caso omiso|haga caso omiso)[a-zé]{0,4}"
        + _NEAR
        + r"(?:instruccion|indicacion|orden|(?:ó|o)rdene|directriz|directrice|regla|comando|prompt)[a-z]{0,3}"
        + _NEAR
        + r"(?:anterior|previa|previo|precedente|inicial|de arriba|del sistema|recibid|original)",
        r"ignor[ae]|olvid[ae]|descart[ae]|omit[ae] |desestim|no (?:sigas|siga|obedezcas)|haz caso|haga caso|no hagas",
    ),
    Rule(
        NEW_ORDERS,
        3,
        r"(?:tu|su) (?:nueva|verdadera) (?:tarea|misi(?:ó|o)n|instrucci(?:ó|o)n)",
        r"(?:nueva|verdadera) (?:tarea|misi(?:ó|o)n|instrucci(?:ó|o)n)",
    ),
    Rule(
        SECRECY,
        3,
        r"no (?:se )?(?:lo )?(?:le )?(?:digas|diga|informes|informe|menciones|mencione|reveles|revele|cuentes|avises)"
        + _NEAR
        + r"al? (?:usuario|usuaria)",
        r"al? usuari",
    ),
    Rule(
        EXTRACTION,
        3,
        r"(?:muestra|mu(?:é|e)strame|revela|rev(?:é|e)lame|dime|repite|imprime)"
        + _NEAR
        + r"(?:tus? )(?:prompt|instrucciones|indicaciones)(?: iniciales| del? sistema)",
        r"(?:prompt|instrucciones|indicaciones)(?: iniciales| del? sistema)",
    ),
)
PORTUGUESE = (
    _override(
        r"(?:ignor|esque(?:ç|c)|desconsider|descart|n(?:ã|a)o siga|desrespeit)[a-z]{0,4}"
        + _NEAR
        + r"(?:instru(?:ç(?:õ|ã)|c[oa])(?:es|o)|orden|diretriz|diretrize|regra|comando|prompt|orienta(?:ç|c)(?:õ|o)e)[a-z]{0,2}"
        + _NEAR
        + r"(?:anterior|pr(?:é|e)via|pr(?:é|e)vio|acima|inicia|precedente|do sistema|original|origina)",
        r"ignor[ae]|esque(?:ç|c)|desconsider|descart[ae]|n(?:ã|a)o siga|desrespeit",
    ),
    Rule(
        NEW_ORDERS,
        3,
        r"(?:sua|tua) (?:nova|verdadeira) (?:tarefa|miss(?:ã|a)o|instru(?:ç|c)(?:ã|a)o)",
        r"(?:nova|verdadeira) (?:tarefa|miss(?:ã|a)o|instru(?:ç|c)(?:ã|a)o)",
    ),
    Rule(
        SECRECY,
        3,
        r"n(?:ã|a)o (?:diga|informe|conte|mencione|revele|avise)" + _NEAR + r"ao? (?:usu(?:á|a)rio|utilizador)",
        r"usu(?:á|a)rio|utilizador",
    ),
)
ITALIAN = (
    _override(
        r"(?:ignor|dimentic|trascur|scart|non (?:seguire|tenere conto|considerare))[a-z]{0,4}"
        + _NEAR
        + r"(?:istruzion|direttiv|ordin|regol|comand|prompt|indicazion)[a-z]?"
        + _NEAR
        + r"(?:precedent|anterior|inizial|ricevut|di sopra|qui sopra|del sistema|original)",
        r"ignor[aio]|dimentic|trascur|non (?:seguire|tenere conto|considerare)",
    ),
    _override(
        r"(?:ignor|dimentic|trascur)[a-z]{0,4}" + _NEAR + r"precedenti (?:istruzion|direttiv|ordin|regol|comand|indicazion)",
        r"precedenti (?:istruzion|direttiv|ordin|regol|comand|indicazion)",
    ),
    Rule(
        SECRECY,
        3,
        r"non (?:dire|dirlo|informare|rivelare|menzionare|avvisare|comunicare)" + _NEAR + r"(?:all.{1,3}|l.{1,3})utente",
        r"utente",
    ),
)
DUTCH = (
    _override(
        r"(?:negeer|vergeet|veronachtzaam|sla|volg)\b"
        + _NEAR
        + r"(?:vorige|voorgaande|eerdere|bovenstaande|oorspronkelijke|voorafgaande)"
        + _NEAR
        + r"(?:instructie|aanwijzing|opdracht|regel|bevel|prompt|richtlijn)",
        r"negeer|vergeet|veronachtzaam|(?:vorige|voorgaande|eerdere|bovenstaande|oorspronkelijke) (?:instructie"
        r"|aanwijzing|opdracht|regel|bevel|prompt|richtlijn)",
    ),
    Rule(SECRECY, 3, r"(?:vertel|zeg|meld|informeer) (?:dit |het |dat )?(?:niet(?:s)? )?(?:aan )?de gebruiker (?:niet)?", r"de gebruiker"),
)
RUSSIAN = (
    _override(
        r"(?:(?:И|и|Про|про)(?:и)?гнорируй|(?:З|з)абудь|(?:Н|н)е обращай|(?:О|о)тбрось|(?:О|о)тмени|(?:Н|н)е следуй"
        r"|(?:Н|н)е выполняй|(?:П|п)ренебрег|ИГНОРИРУЙ|ЗАБУДЬ)"
        r".{0,90}?(?:инструкц|указани|команд|правил|промпт|директив|приказ|ИНСТРУКЦ|УКАЗАНИ|КОМАНД|ПРАВИЛ)"
    ),
    Rule(SECRECY, 3, r"(?:Н|н)е (?:говори|сообщай|рассказывай|упоминай|раскрывай).{0,40}?пользовател"),
    Rule(
        EXTRACTION,
        3,
        r"(?:(?:П|п)окажи|(?:Р|р)аскрой|(?:В|в)ыведи|(?:П|п)овтори).{0,60}?(?:системн(?:ый|ые|ую) (?:промпт|инструкц|подсказк))",
    ),
)
CHINESE = (
    _override(
        r"(?:忽略|无视|無視|忘记|忘記|忘掉|忽视|忽視|不要理会|不要遵守|不要遵循|不必遵守|抛开|跳过)"
        + _CJK
        + r"(?:之前|以前|以上|上面|上述|先前|前面|所有|全部|任何|此前|原有|原来|系统|系統|你的|您的)"
        + _CJK
        + r"(?:指令|指示|提示词|提示詞|提示|命令|规则|規則|指引|设定|設定|约束)"
    ),
    Rule(SECRECY, 3, r"(?:不要|请勿|切勿|不得|别|不能)(?:告诉|告知|通知|提醒|透露给|让)" + r"(?:.{3}){0,2}?用户"),
    Rule(EXTRACTION, 3, r"(?:显示|输出|打印|告诉我|透露|重复|说出|泄露)" + _CJK + r"(?:系统提示|系统指令|初始指令|系統提示)"),
    Rule(ADDRESS, 3, r"(?:如果你是|作为)(?:一个|一名)?(?:AI|人工智能|语言模型|大模型)" + r".{0,30}?(?:必须|应当|请立即|你需要)"),
)
JAPANESE = (
    _override(
        r"(?:以前|これまで|今まで|上記|前|先|すべて|全て|元|システム)(?:の|までの)"
        + _CJK
        + r"(?:指示|命令|プロンプト|ルール|指令|規則|インストラクション)(?:.{3}){0,6}?(?:無視|忘れ|破棄|従わない|取り消)"
    ),
    Rule(SECRECY, 3, r"(?:ユーザー|利用者|ユーザ)に(?:は)?(?:.{3}){0,8}?(?:言わない|伝えない|知らせない|教えない|明かさない|話さない)"),
    Rule(EXTRACTION, 3, r"(?:システムプロンプト|初期指示|システム指示)を(?:.{3}){0,6}?(?:表示|出力|教え|見せ|開示)"),
)
KOREAN = (
    _override(
        r"(?:이전|앞선|앞의|위의|기존|지금까지|모든|원래|시스템)"
        r".{0,40}?(?:지시|명령|지침|프롬프트|규칙)(?:.{3}){0,5}?\x20?(?:.{3}\x20?){0,4}?(?:무시|잊어|잊고|따르지|무효)"
    ),
    Rule(SECRECY, 3, r"사용자에게(?:는)?\x20?(?:.{3}\x20?){0,8}?(?:말하지|알리지|언급하지|밝히지)"),
)
ARABIC = (
    _override(
        r"(?:تجاهل|تجاهلي|انس|انسى|إنسى|انسَ|أهمل|لا تتبع|تغاض).{0,50}?(?:التعليمات|الأوامر|الاوامر|التوجيهات|القواعد|الإرشادات|تعليماتك|تعليمات)"
    ),
    Rule(SECRECY, 3, r"(?:لا تخبر|لا تقل|لا تذكر|لا تُخبر|دون إخبار).{0,30}?المستخدم"),
)
HINDI = (
    _override(
        r"(?:पिछल|पहले|पूर्व|उपरोक्त|ऊपर|सभी|सारे).{0,60}?(?:निर्देश|आदेश|नियम|हिदायत|प्रॉम्प्ट).{0,40}?(?:अनदेखा"
        r"|नज़रअंदाज|नजरअंदाज|भूल|उपेक्षा|ध्यान न)"
    ),
    Rule(SECRECY, 3, r"(?:उपयोगकर्ता|यूज़र|यूजर) को.{0,45}?(?:न बताएं|मत बता|न बताना|नहीं बता)"),
)

LATIN: tuple[Rule, ...] = (*GERMAN, *FRENCH, *SPANISH, *PORTUGUESE, *ITALIAN, *DUTCH)
"""May stand in ASCII."""
BEYOND: tuple[Rule, ...] = (*RUSSIAN, *CHINESE, *JAPANESE, *KOREAN, *ARABIC, *HINDI)
"""Never do."""
