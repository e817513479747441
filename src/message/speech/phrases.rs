//! The sentences of a call in each language, and its digits as words.

/// One language. What comes first, who calls and why, is a template (`template/texts/`).
pub(super) struct Phrases {
    /// That a key lets the code be heard, and what to do about a call that nobody asked for.
    pub(super) press_a_key: &'static str,
    /// Before the digits.
    pub(super) your_code: &'static str,
    /// Before the digits, the second time.
    pub(super) once_more: &'static str,
    /// The end.
    pub(super) goodbye: &'static str,
    /// No key was pressed.
    pub(super) nobody: &'static str,
    /// The code died before the key was pressed.
    pub(super) too_late: &'static str,
    /// Zero to nine.
    pub(super) digits: [&'static str; 10],
}

pub(super) const ENGLISH: Phrases = Phrases {
    press_a_key: "Press any key to hear it. If you did not ask for a code, please hang up.",
    your_code: "Your code is:",
    once_more: "Once more, your code is:",
    goodbye: "Do not share this code with anyone. Goodbye.",
    nobody: "No key was pressed. Goodbye.",
    too_late: "This code is no longer valid. Please ask for a new one. Goodbye.",
    digits: ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
};

pub(super) const SPANISH: Phrases = Phrases {
    press_a_key: "Pulse cualquier tecla para escucharlo. Si no ha solicitado ningún código, cuelgue, por favor.",
    your_code: "Su código es:",
    once_more: "Le repetimos su código:",
    goodbye: "No comparta este código con nadie. Adiós.",
    nobody: "No se ha pulsado ninguna tecla. Adiós.",
    too_late: "Este código ya no es válido. Solicite uno nuevo, por favor. Adiós.",
    digits: ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"],
};

pub(super) const FRENCH: Phrases = Phrases {
    press_a_key: "Appuyez sur n'importe quelle touche pour l'entendre. Si vous n'avez pas demandé de code, raccrochez.",
    your_code: "Votre code est le suivant :",
    once_more: "Voici à nouveau votre code :",
    goodbye: "Ne communiquez ce code à personne. Au revoir.",
    nobody: "Vous n'avez appuyé sur aucune touche. Au revoir.",
    too_late: "Ce code n'est plus valable. Veuillez en demander un nouveau. Au revoir.",
    digits: ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
};

pub(super) const GERMAN: Phrases = Phrases {
    press_a_key: "Drücken Sie eine beliebige Taste, um ihn zu hören. Falls Sie keinen Code angefordert haben, legen Sie bitte auf.",
    your_code: "Ihr Code lautet:",
    once_more: "Noch einmal, Ihr Code lautet:",
    goodbye: "Geben Sie diesen Code an niemanden weiter. Auf Wiederhören.",
    nobody: "Es wurde keine Taste gedrückt. Auf Wiederhören.",
    too_late: "Dieser Code ist nicht mehr gültig. Bitte fordern Sie einen neuen an. Auf Wiederhören.",
    digits: ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
};

/// For Brazil and Portugal alike.
pub(super) const PORTUGUESE: Phrases = Phrases {
    press_a_key: "Pressione qualquer tecla para ouvir o código. Se não pediu nenhum código, desligue, por favor.",
    your_code: "O seu código é:",
    once_more: "Repetindo, o seu código é:",
    goodbye: "Não diga este código a ninguém. Até logo.",
    nobody: "Nenhuma tecla foi pressionada. Até logo.",
    too_late: "Este código já não é válido. Peça um novo, por favor. Até logo.",
    digits: ["zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"],
};

/// Mandarin.
pub(super) const CHINESE: Phrases = Phrases {
    press_a_key: "请按任意键收听。如果您没有申请验证码，请直接挂断。",
    your_code: "您的验证码是：",
    once_more: "再重复一遍，您的验证码是：",
    goodbye: "请不要把验证码告诉任何人。再见。",
    nobody: "没有检测到按键。再见。",
    too_late: "这个验证码已经失效，请重新获取。再见。",
    digits: ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"],
};

pub(super) const JAPANESE: Phrases = Phrases {
    press_a_key: "お聞きになるには、いずれかのキーを押してください。お心当たりのない場合は、このままお切りください。",
    your_code: "お客様のコードをお伝えします。",
    once_more: "もう一度、お伝えします。",
    goodbye: "このコードは誰にも教えないでください。失礼いたします。",
    nobody: "キー操作が確認できませんでした。失礼いたします。",
    too_late: "このコードはすでに無効です。新しいコードをお求めください。失礼いたします。",
    digits: ["ゼロ", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう"],
};

/// Modern standard Arabic.
pub(super) const ARABIC: Phrases = Phrases {
    press_a_key: "اضغط على أي زر للاستماع إليه. إن لم تطلب رمزًا، فيُرجى إنهاء المكالمة.",
    your_code: "رمزك هو:",
    once_more: "مرة أخرى، رمزك هو:",
    goodbye: "لا تشارك هذا الرمز مع أحد. مع السلامة.",
    nobody: "لم يتم الضغط على أي زر. مع السلامة.",
    too_late: "لم يعد هذا الرمز صالحًا. يُرجى طلب رمز جديد. مع السلامة.",
    digits: ["صفر", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة"],
};
