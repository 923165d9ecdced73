/** A person's name as its bearer writes it, and the letters that a mail address of theirs would use. */
export interface PersonName {
  readonly given: string;
  readonly family: string;
  readonly latin: string;
  /** Family name first, without a space: Chinese, Japanese, Korean. */
  readonly familyFirst?: boolean;
  readonly language: string;
}

const name = (given: string, family: string, latin: string, language: string): PersonName => ({
  given,
  family,
  latin,
  language,
});

/**
 * Names of many scripts, and some that break software: quotes, angle brackets, right-to-left text, an emoji, letters that
 * change their length when their case is changed.
 */
export const PERSON_NAMES: readonly [PersonName, ...PersonName[]] = [
  name('Abe', 'Lincoln', 'abe.lincoln', 'en-US'),
  name('Zoë', 'Müller-Lüdenscheidt', 'zoe.mueller', 'de-DE'),
  name('Siobhán', "O'Connor", 'siobhan.oconnor', 'en-IE'),
  name('José', 'Nuñez García', 'jose.nunez', 'es-ES'),
  name('Łukasz', 'Wiśniewski', 'lukasz.wisniewski', 'pl-PL'),
  name('İpek', 'Yıldırım', 'ipek.yildirim', 'tr-TR'),
  name('Đorđe', 'Čolić', 'djordje.colic', 'sr-Latn-RS'),
  name('Nguyễn', 'Thị Ánh', 'nguyen.anh', 'vi-VN'),
  name('Ольга', 'Щербакова', 'olga.shcherbakova', 'ru-RU'),
  name('Тарас', 'Їжакевич', 'taras.yizhakevych', 'uk-UA'),
  name('Ελένη', 'Παπαδοπούλου', 'eleni.papadopoulou', 'el-GR'),
  name('محمد', 'عبد الله', 'mohammed.abdullah', 'ar-SA'),
  name('שירה', 'כהן', 'shira.cohen', 'he-IL'),
  { ...name('伟', '王', 'wei.wang', 'zh-CN'), familyFirst: true },
  { ...name('花子', '山田', 'hanako.yamada', 'ja-JP'), familyFirst: true },
  { ...name('민준', '김', 'minjun.kim', 'ko-KR'), familyFirst: true },
  name('प्रिया', 'शर्मा', 'priya.sharma', 'hi-IN'),
  name('สมชาย', 'ใจดี', 'somchai.jaidee', 'th-TH'),
  name('Grace 🚀', 'Hopper', 'grace.hopper', 'en-US'),
  name('Robert"); DROP', 'Tables', 'robert.tables', 'en-US'),
  name('<script>alert(1)</script>', 'Tag', 'script.tag', 'en-US'),
  name('Comma, Jr.', 'Smith', 'comma.smith', 'en-US'),
  name('Anna-Maria', 'van der Straßen', 'anna.straassen', 'nl-NL'),
  name('Mary', 'Jones', 'mary.jones', 'en-GB'),
];

export const DEPARTMENTS: readonly [string, ...string[]] = [
  'Engineering',
  'Sales',
  'Finance',
  'Human Resources',
  'Legal & Compliance',
  'Vertrieb Süd',
  'マーケティング',
  'Поддержка',
];

export const JOB_TITLES: readonly [string, ...string[]] = [
  'President',
  'Engineer',
  'Account Executive',
  'Controller',
  'Chef d’équipe',
  'Sachbearbeiter/in',
  '経理担当',
];

export const OFFICES: readonly [string, ...string[]] = ['18/2111', 'Zürich 4.07', 'Paris – La Défense', '東京本社'];

export const USAGE_LOCATIONS: readonly [string, ...string[]] = ['US', 'DE', 'FR', 'JP', 'GB', 'PL', 'IN', 'BR'];

export const GROUP_TOPICS: readonly [string, ...string[]] = [
  'Engineering',
  'Sales, EMEA',
  'Finance',
  'Projekt Ümlaut',
  'Проект Север',
  '東京チーム',
  'فريق المبيعات',
  'All "quoted" people',
  '<b>Bold</b>',
  "Owners' circle",
];
