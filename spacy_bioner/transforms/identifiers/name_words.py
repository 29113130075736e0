"""Words that tell names from other words with a capital; in small letters."""

_FOLLOWING = """
disease diseases syndrome disorder carcinoma tumor tumour infection failure attack event trial study
vitamin factor protein insulin therapy treatment risk cohort god just two three
a abdominal about acute admission admitted advised after age aged alert all allergies allergy
also an analgesia and anesthetist any apartment april apt are as assessment assistant asthma at
august awake back be before believes bilateral blood bmi both box bp brother by came can cancer
care center centered centre characteristics chart chest chronic clinic clinical clinician
complains consultant continue controlled cough could covid ct dad daily data date daughter day
december denied denies department diabetes diabetic did director discharge do dob doctor does
due ecg education ekg er esq exam examination eyes family father february feels felt female
fever follow for friday from gave gender given global good got grade group groups guest had has
have he head headache health heart hello hepatitis her here hi his history home hospital
hospitalist how hr husband hypertension hypertensive i icu id if improved in influenza info
information institute instructions international is it january jr july june known lab last left
lungs male manager march may md medical medication medications midwife mild moderate mom monday
mother mri mrn ms my name neck negative new no none normal not note november now np number nurse
october of oh ok okay on or ordered other our outcome outcomes outpatient pa pain past patient
patients phd phone physician plan please po population positive post practitioner pregnant
present presented presents prior procedure provider pt questionnaire reason received recommended
recommends referred registered report reported reports result results right rn room rr safety
said saturday saw says scale school score see seems seen selection september severe sex she
signed since sister skin so social son specialist sr stable stage stated states status street
suite sunday surgeon takes team temp thank thanks that the their then there they this thursday
to today told tolerated took tuesday type uh um unchanged undergoing underwent university
unknown version visit wants was we wednesday well were what when where while who wife will with
would x-ray xray yeah yes yesterday you your zero
"""
_AMBIGUOUS = """
baker bell bishop black blue brown burns case child church cook cross down dry field fish fox
grace gray green grey hand hands hill hope house human joy king lane little long love low marks
miles moon noble park penny price reed rice rich rose short small snow stone strong summer sun
sweet virgin waters west white winter wood woods young
"""
NO_NAMES = frozenset(_FOLLOWING.split())
"""What follows titles and cue words with a capital, and is no part of a name."""
AMBIGUOUS = NO_NAMES | frozenset(_AMBIGUOUS.split())
"""What is another word, as often as it is a name."""
